using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using NetMQ;

namespace Diffusion.Jupyter.Protocol;

/// <summary>A message of Jupyter's protocol 5.3: routing identities, a delimiter, a signature, four dictionaries of JSON.</summary>
internal sealed record Message(string Type, JsonObject Content)
{
    public const string Scheme = "hmac-sha256",
        Version = "5.3";

    private const int Dictionaries = 4;
    private static readonly byte[] Delimiter = "<IDS|MSG>"u8.ToArray();

    /// <summary>Whom a reply goes to; for what is published, its topic.</summary>
    public IReadOnlyList<byte[]> Identities { get; init; } = [];

    /// <summary>The header, where it came from a front end.</summary>
    public JsonObject? Header { get; init; }

    /// <summary>The header of the request that it belongs to.</summary>
    public JsonObject? Parent { get; init; }

    /// <summary>An answer.</summary>
    public Message Reply(string type, JsonObject content) => new(type, content) { Identities = Identities, Parent = Header };

    /// <summary>What is told to all front ends about this request.</summary>
    public Message Publication(string type, JsonObject content) =>
        new(type, content) { Identities = [Encoding.UTF8.GetBytes(type)], Parent = Header };

    /// <summary>As frames, signed.</summary>
    public NetMQMessage ToFrames(string key, string session)
    {
        JsonObject header = new()
        {
            ["msg_id"] = Guid.NewGuid().ToString("N"),
            ["session"] = session,
            ["username"] = "kernel",
            ["date"] = DateTime.UtcNow.ToString("O", CultureInfo.InvariantCulture),
            ["msg_type"] = Type,
            ["version"] = Version,
        };
        byte[][] parts = [Bytes(header), Bytes(Parent ?? []), Bytes([]), Bytes(Content)];
        NetMQMessage frames = new();
        foreach (byte[] identity in Identities)
            frames.Append(identity);
        frames.Append(Delimiter);
        frames.Append(Sign(key, parts));
        foreach (byte[] part in parts)
            frames.Append(part);
        return frames;
    }

    /// <summary>From frames; null where they are none, or not signed with the key: a stranger's.</summary>
    public static Message? FromFrames(NetMQMessage frames, string key)
    {
        byte[][] all = [.. frames.Select(frame => frame.ToByteArray())];
        int at = Array.FindIndex(all, frame => frame.AsSpan().SequenceEqual(Delimiter));
        if (at < 0 || all.Length < at + 2 + Dictionaries)
            return null;
        byte[][] parts = all[(at + 2)..(at + 2 + Dictionaries)];
        if (key.Length > 0 && !CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(Sign(key, parts)), all[at + 1]))
            return null;
        try
        {
            JsonObject header = JsonNode.Parse(parts[0])!.AsObject();
            return new(header["msg_type"]!.GetValue<string>(), JsonNode.Parse(parts[3])!.AsObject())
            {
                Identities = all[..at],
                Header = header,
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
        {
            return null;
        }
    }

    private static byte[] Bytes(JsonObject json) => Encoding.UTF8.GetBytes(json.ToJsonString());

    private static string Sign(string key, byte[][] parts)
    {
        if (key.Length == 0)
            return "";
        using IncrementalHash hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(key));
        foreach (byte[] part in parts)
            hash.AppendData(part);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
