using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;

namespace Diffusion.Restoration;

/// <summary>
/// What an item's settings say of the files that are read for it: their hashes, so that a changed file makes another item.
/// </summary>
public static class ItemFiles
{
    // Not in records of older versions.
    private const string OperatorFiles = "operator_files_sha256";

    /// <summary>The settings that every item begins with: the input's name and the hashes of what is read.</summary>
    /// <param name="input">The file, or <c>-</c>.</param>
    /// <param name="measurement">Whether a side file beside it is read too.</param>
    public static JsonObject Input(string input, bool measurement = false)
    {
        FileHashes hashes = new();
        bool standard = input == ImageFile.Standard;
        JsonObject settings = new() { ["input"] = Path.GetFileName(input), ["input_sha256"] = standard ? null : hashes.Of(input) };
        if (measurement)
            settings["side_sha256"] = !standard && SideFile.PathFor(input) is var side && File.Exists(side) ? hashes.Of(side) : null;
        return settings;
    }

    /// <summary>Adds what the files hold that an operator is made of, where there are any.</summary>
    /// <param name="settings">The settings of an item.</param>
    /// <param name="spec">The operator; null: nothing is known about it.</param>
    /// <param name="hashes">Remembers files that many items have in common.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public static void AddFiles(JsonObject settings, OperatorSpec? spec, FileHashes hashes)
    {
        if (spec?.Files() is { Count: > 0 } files)
            settings[OperatorFiles] = new JsonArray([.. files.Select(file => hashes.Of(file))]);
    }

    /// <summary>An item's settings as older versions put them down; null where there is no difference.</summary>
    internal static JsonObject? Older(JsonObject settings)
    {
        JsonObject older = settings.DeepClone().AsObject();
        return older.Remove(OperatorFiles) ? older : null;
    }
}
