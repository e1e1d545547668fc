using System.Globalization;
using System.Reflection;
using System.Runtime.Serialization;
using Diffusion.Runtime;

namespace Diffusion.Settings;

/// <summary>
/// Typed values as text and back: numbers (also <c>12.75/255</c>), lists of numbers, <c>true</c>/<c>false</c>, names of enumerations, text,
/// and any <see cref="IParsable{T}"/>.
/// </summary>
internal static class SettingValue
{
    /// <summary>What stands for a value that is decided in the run, or for none.</summary>
    public const string Auto = "auto";

    /// <summary>The value as text that reads back as the same value; empty for null.</summary>
    public static string Print(object? value) =>
        value switch
        {
            null => "",
            bool b => b ? "true" : "false",
            double d => d.ToString("R", CultureInfo.InvariantCulture),
            float f => f.ToString("R", CultureInfo.InvariantCulture),
            IEnumerable<double> numbers => string.Join(',', numbers.Select(number => Print(number))),
            Enum e => NameOf(e.GetType().GetField(e.ToString())!),
            IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    /// <summary>The value as text for tables: numbers have at most six decimals.</summary>
    public static string Round(object? value) =>
        value switch
        {
            double number => number.ToString("0.######", CultureInfo.InvariantCulture),
            IEnumerable<double> numbers => string.Join(',', numbers.Select(number => Round(number))),
            _ => Print(value),
        };

    /// <summary>The names of an enumeration's values or of a flag's; null for other types.</summary>
    public static IReadOnlyList<string>? Names(Type type) =>
        type.IsEnum ? [.. Fields(type).Select(NameOf)]
        : type == typeof(bool) ? ["true", "false"]
        : null;

    /// <summary>What a type's values are called in tables.</summary>
    public static string Kind(Type type) =>
        type == typeof(int) || type == typeof(long) || type == typeof(ulong) ? "integer"
        : type == typeof(double) || type == typeof(float) ? "number"
        : type == typeof(IReadOnlyList<double>) ? "numbers"
        : type == typeof(string) ? "text"
        : SettingName.Of(type.Name).Replace('-', ' ');

    /// <summary>Reads a value of a type.</summary>
    /// <param name="type">The type, not nullable.</param>
    /// <param name="text">The text.</param>
    /// <param name="name">The setting's name, for the error.</param>
    /// <exception cref="SettingException">The text is no value of the type.</exception>
    public static object Read(Type type, string text, string name)
    {
        SettingException Wrong(string kind, string? remedy = null) => new($"{name} must be {kind}, not \"{Shorten(text)}\"", remedy);
        if (type == typeof(string))
            return text;
        if (Names(type) is { } names)
        {
            int at = names.ToList().FindIndex(known => SettingName.Same(known, text));
            return at < 0
                    ? throw Wrong(
                        "one of " + string.Join(", ", names),
                        NearestName.Of(text, names) is { } near ? $"Did you mean \"{near}\"?" : null
                    )
                : type.IsEnum ? Fields(type).ElementAt(at).GetValue(null)!
                : at == 0;
        }
        if (type == typeof(double))
            return Number(text) ?? throw Wrong("a number");
        if (type == typeof(float))
            return (float)(Number(text) ?? throw Wrong("a number"));
        if (type == typeof(IReadOnlyList<double>))
        {
            double?[] numbers = [.. text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(Number)];
            return numbers.All(number => number is not null)
                ? numbers.Select(number => number!.Value).ToArray()
                : throw Wrong("numbers separated by commas");
        }
        if (type == typeof(int))
            return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int i)
                ? i
                : throw Wrong("a whole number");
        if (type == typeof(long))
            return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long l)
                ? l
                : throw Wrong("a whole number");
        if (type == typeof(ulong))
            return ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ulong u)
                ? u
                : throw Wrong("a whole number that is not negative");
        if (IsParsable(type))
        {
            MethodInfo parse = typeof(SettingValue)
                .GetMethod(nameof(ParseAs), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(type);
            return parse.Invoke(null, [text]) ?? throw Wrong($"a {Kind(type)}");
        }
        throw new SettingException(
            $"{name} has the type {type.Name}, which no text can express",
            "Use numbers, true/false, enumerations, text or an IParsable type"
        );
    }

    /// <summary>A text that fits into a sentence.</summary>
    public static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";

    private static bool IsParsable(Type type) =>
        type.GetInterfaces()
            .Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IParsable<>) && i.GenericTypeArguments[0] == type);

    private static double? Number(string text)
    {
        string[] parts = text.Split('/');
        if (parts.Length > 2)
            return null;
        double value = 1;
        for (int i = 0; i < parts.Length; i++)
        {
            if (!double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out double number))
                return null;
            value = i == 0 ? number : value / number;
        }
        return double.IsFinite(value) ? value : null;
    }

    private static object? ParseAs<T>(string text)
        where T : IParsable<T> => T.TryParse(text, CultureInfo.InvariantCulture, out T? value) ? value : null;

    private static IEnumerable<FieldInfo> Fields(Type type) => type.GetFields(BindingFlags.Public | BindingFlags.Static);

    private static string NameOf(FieldInfo field) => field.GetCustomAttribute<EnumMemberAttribute>()?.Value ?? SettingName.Of(field.Name);
}
