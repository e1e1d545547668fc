using System.Text.Json;
using System.Text.Json.Serialization;
using Diffusion.Runtime;

namespace Diffusion.Jupyter.Protocol;

/// <summary>The file by which a front end tells a kernel where to listen and how to sign.</summary>
internal sealed record ConnectionFile
{
    [JsonPropertyName("transport")]
    public string Transport { get; init; } = "tcp";

    [JsonPropertyName("ip")]
    public required string Ip { get; init; }

    [JsonPropertyName("shell_port")]
    public required int ShellPort { get; init; }

    [JsonPropertyName("control_port")]
    public required int ControlPort { get; init; }

    [JsonPropertyName("iopub_port")]
    public required int IoPubPort { get; init; }

    [JsonPropertyName("stdin_port")]
    public required int StdinPort { get; init; }

    [JsonPropertyName("hb_port")]
    public required int HeartbeatPort { get; init; }

    [JsonPropertyName("key")]
    public string Key { get; init; } = "";

    [JsonPropertyName("signature_scheme")]
    public string SignatureScheme { get; init; } = Message.Scheme;

    /// <summary>Reads one.</summary>
    /// <exception cref="DiffusionException">It is no connection file of a kind that is known here.</exception>
    public static ConnectionFile Read(string path)
    {
        const string Remedy = "A Jupyter front end writes it and starts the kernel: choose C# (Diffusion) there";
        try
        {
            ConnectionFile file = JsonSerializer.Deserialize<ConnectionFile>(File.ReadAllText(path))!;
            return file is { Transport: "tcp", SignatureScheme: Message.Scheme }
                ? file
                : throw new DiffusionException(
                    $"The connection is {file.Transport} with {file.SignatureScheme}; tcp with {Message.Scheme} is understood",
                    path,
                    Remedy
                );
        }
        catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DiffusionException("It is no connection file of Jupyter", path, Remedy, e);
        }
    }

    /// <summary>Where a socket listens.</summary>
    public string Address(int port) => $"{Transport}://{Ip}:{port}";
}
