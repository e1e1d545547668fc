using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Networks;

/// <summary>Values of a configuration: whole numbers, numbers, words, yes or no, and lists of them.</summary>
internal static class ConfigValue
{
    /// <summary>Reads a value, whatever type of number the node was made from.</summary>
    /// <exception cref="FormatException">It is of another kind.</exception>
    public static T Read<T>(string name, JsonNode node)
    {
        JsonElement value = JsonSerializer.SerializeToElement(node);
        object? read =
            typeof(T) == typeof(int) || typeof(T) == typeof(int?) ? Whole(value)
            : typeof(T) == typeof(double) || typeof(T) == typeof(double?) ? Number(value)
            : typeof(T) == typeof(string) ? (value.ValueKind == JsonValueKind.String ? value.GetString() : null)
            : typeof(T) == typeof(bool) ? YesOrNo(value)
            : typeof(T) == typeof(IReadOnlyList<int>) ? List(value, Whole)
            : typeof(T) == typeof(IReadOnlyList<double>) ? List(value, Number)
            : typeof(T) == typeof(IReadOnlyList<bool>) ? List(value, YesOrNo)
            : typeof(T) == typeof(IReadOnlyList<string>) ? Words(value)
            : throw new NotSupportedException($"Configurations hold no {typeof(T)}.");
        return read is T right ? right : throw new FormatException($"{name} is {Shorten(value.GetRawText())}, not {Name(typeof(T))}");
    }

    /// <summary>A value as JSON.</summary>
    public static JsonNode? Write<T>(T value) =>
        value switch
        {
            null => null,
            int whole => JsonValue.Create(whole),
            double number => JsonValue.Create(number),
            bool yes => JsonValue.Create(yes),
            string word => JsonValue.Create(word),
            IReadOnlyList<int> numbers => new JsonArray([.. numbers.Select(number => (JsonNode)number)]),
            IReadOnlyList<double> numbers => new JsonArray([.. numbers.Select(number => (JsonNode)number)]),
            IReadOnlyList<bool> answers => new JsonArray([.. answers.Select(answer => (JsonNode)answer)]),
            IReadOnlyList<string> words => new JsonArray([.. words.Select(word => (JsonNode)word)]),
            _ => throw new NotSupportedException($"Configurations hold no {typeof(T)}."),
        };

    private static int? Whole(JsonElement value) =>
        Number(value) is { } number && number == Math.Floor(number) && Math.Abs(number) <= int.MaxValue ? (int)number : null;

    private static double? Number(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    private static bool? YesOrNo(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;

    private static List<string>? Words(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(item => item.GetString()!)]
            : null;

    /// <summary>A lone value is a list of one.</summary>
    private static List<T>? List<T>(JsonElement value, Func<JsonElement, T?> read)
        where T : struct
    {
        if (value.ValueKind != JsonValueKind.Array)
            return read(value) is { } lone ? [lone] : null;
        List<T> items = [];
        foreach (JsonElement item in value.EnumerateArray())
        {
            if (read(item) is not { } one)
                return null;
            items.Add(one);
        }
        return items;
    }

    private static string Shorten(string text) => text.Length > 40 ? text[..40] + "..." : text;

    private static string Name(Type type) =>
        type == typeof(string) ? "a word"
        : type == typeof(bool) ? "true or false"
        : type == typeof(IReadOnlyList<int>) ? "a list of whole numbers"
        : type == typeof(IReadOnlyList<double>) ? "a list of numbers"
        : type == typeof(IReadOnlyList<bool>) ? "a list of true and false"
        : type == typeof(IReadOnlyList<string>) ? "a list of words"
        : type == typeof(double) || type == typeof(double?) ? "a number"
        : "a whole number";
}
