using System.Text.Json;
using System.Text.Json.Nodes;
using Diffusion.Runtime;

namespace Diffusion.Checkpoints;

/// <summary>
/// Weights in several files beside an index (<c>*.safetensors.index.json</c>), whose <c>weight_map</c> names the file of each tensor.
/// </summary>
internal sealed class ShardedCheckpoint : ICheckpoint
{
    private const int MaxIndex = 64 << 20;
    private readonly Dictionary<string, ICheckpoint> _shards = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorEntry> _tensors = new(StringComparer.Ordinal);

    private ShardedCheckpoint(string path) => Path = path;

    /// <inheritdoc/>
    public string Path { get; }

    /// <inheritdoc/>
    public string Format => _shards.Values.First().Format;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, TensorEntry> Tensors => _tensors;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Metadata => _shards.Values.First().Metadata;

    /// <summary>Opens all files that an index names; the index itself is closed.</summary>
    /// <param name="index">The index.</param>
    /// <param name="open">Opens one of the files, which is no index.</param>
    /// <exception cref="CheckpointException">It is no index, a file is missing or damaged, or lacks a tensor.</exception>
    public static ShardedCheckpoint Open(CheckpointFile index, Func<string, ICheckpoint> open)
    {
        if (index.Length > MaxIndex)
            throw new CheckpointException("The file begins like an index of weight files, but is too long for one", index.Path);
        ShardedCheckpoint checkpoint = new(index.Path);
        try
        {
            foreach ((string name, JsonNode? value) in Map(index))
                checkpoint.Add(name, value is JsonValue text && text.TryGetValue(out string? shard) ? shard : "", open);
            return checkpoint;
        }
        catch
        {
            checkpoint.Dispose();
            throw;
        }
        finally
        {
            index.Dispose();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (ICheckpoint shard in _shards.Values)
            shard.Dispose();
    }

    private static JsonObject Map(CheckpointFile index)
    {
        try
        {
            if (JsonNode.Parse(index.ReadBytes(0, index.Length))?["weight_map"] is JsonObject { Count: > 0 } map)
                return map;
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or ArgumentException)
        {
            // What it is not is said below.
        }
        throw new CheckpointException(
            "This is JSON, but no index of weight files",
            index.Path,
            "Give a .safetensors file, its index, or a file written by torch.save"
        );
    }

    private void Add(string name, string shard, Func<string, ICheckpoint> open)
    {
        // A file beside the index, never one elsewhere.
        if (shard.Length == 0 || shard != System.IO.Path.GetFileName(shard))
            throw new CheckpointException($"The index names no file for {Printable.Shorten(name)}", Path, "It is damaged; fetch it again");
        if (!_shards.TryGetValue(shard, out ICheckpoint? file))
        {
            string path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(Path))!, shard);
            if (!File.Exists(path))
                throw new CheckpointException("A part of the weights is missing, which the index beside it names", path, "Fetch it");
            _shards.Add(shard, file = open(path));
        }
        _tensors[name] = file.Tensors.GetValueOrDefault(name)
            ?? throw new CheckpointException(
                $"{Printable.Shorten(name)} is missing, which the index promises",
                file.Path,
                "Fetch the file and its index again; they belong together"
            );
    }
}
