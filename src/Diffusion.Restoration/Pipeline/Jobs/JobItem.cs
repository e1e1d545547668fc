using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Diffusion.Restoration;

namespace Diffusion.Pipeline;

/// <summary>One result to be made: from what, to where, and everything that decides it.</summary>
public sealed class JobItem
{
    private readonly Lazy<JsonObject> _settings;
    private readonly Lazy<byte[]> _key;

    /// <summary>An item.</summary>
    /// <param name="input">The file that it is made of, or <c>-</c>.</param>
    /// <param name="output">The file that it goes to, or <c>-</c>.</param>
    /// <param name="settings">
    /// What decides the result, the input's hash with it; read when it is first needed. Where the item is made and in which order is no
    /// part of it.
    /// </param>
    public JobItem(string input, string output, Func<JsonObject> settings)
    {
        (Input, Output, _settings) = (input, output, new(settings));
        _key = new(() => Hash(Settings));
    }

    /// <summary>The file that it is made of, or <c>-</c> for standard input.</summary>
    public string Input { get; }

    /// <summary>The file that it goes to, or <c>-</c> for standard output.</summary>
    public string Output { get; }

    /// <summary>What decides the result.</summary>
    /// <exception cref="IOException">The input cannot be read.</exception>
    public JsonObject Settings => _settings.Value;

    /// <summary>SHA-256 of the settings in lower-case hexadecimal: equal for equal results, on every machine.</summary>
    public string Key => Convert.ToHexStringLower(_key.Value);

    /// <summary>What older versions took for the key; null where that is no other one.</summary>
    internal string? OlderKey => ItemFiles.Older(Settings) is { } older ? Convert.ToHexStringLower(Hash(older)) : null;

    internal ReadOnlySpan<byte> KeyBytes => _key.Value;

    private static byte[] Hash(JsonObject settings) => SHA256.HashData(Encoding.UTF8.GetBytes(settings.ToJsonString()));
}
