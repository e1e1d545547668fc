using System.Globalization;
using System.Reflection;
using System.Runtime.Serialization;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>
/// Typed values of a spec as text and back: numbers (also <c>12.75/255</c>), <c>true</c>/<c>false</c>, names of enumerations, text, and any
/// <see cref="IParsable{T}"/>.
/// </summary>
internal static class SpecValue
{
    public static string Print(object? value) =>
        value switch
        {
            null => "",
            bool b => b ? "true" : "false",
            double d => d.ToString("R", CultureInfo.InvariantCulture),
            float f => f.ToString("R", CultureInfo.InvariantCulture),
            Enum e => NameOf(e.GetType().GetField(e.ToString())!),
            IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    /// <summary>The names of an enumeration's values; null for other types.</summary>
    public static IReadOnlyList<string>? Names(Type type)
    {
        Type underlying = Nullable.GetUnderlyingType(type) ?? type;
        return underlying.IsEnum ? [.. Fields(underlying).Select(NameOf)] : null;
    }

    public static object? Read(Type type, string text, string key, IReadOnlyList<string> choices, string spec)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        OperatorSpecException Wrong(string kind, string? remedy = null) =>
            new($"{key} must be {kind}, not \"{Shorten(text)}\"", spec, remedy);
        if (type == typeof(string))
            return text;
        if (type == typeof(bool))
            return text switch
            {
                "true" => true,
                "false" => false,
                _ => throw Wrong("true or false"),
            };
        if (type == typeof(double))
            return Number(text) ?? throw Wrong("a number");
        if (type == typeof(float))
            return (float)(Number(text) ?? throw Wrong("a number"));
        if (type.IsEnum)
        {
            FieldInfo? field = Fields(type).FirstOrDefault(f => NameOf(f) == text);
            return field?.GetValue(null)
                ?? throw Wrong(
                    "one of " + string.Join(", ", choices),
                    NearestName.Of(text, choices) is { } near ? $"Did you mean \"{near}\"?" : null
                );
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
        if (
            type.GetInterfaces()
                .Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IParsable<>) && i.GenericTypeArguments[0] == type)
        )
        {
            MethodInfo parse = typeof(SpecValue)
                .GetMethod(nameof(ParseAs), BindingFlags.NonPublic | BindingFlags.Static)!
                .MakeGenericMethod(type);
            return parse.Invoke(null, [text]) ?? throw Wrong($"a {OperatorParameter.SnakeCase(type.Name).Replace('_', ' ')}");
        }
        throw new OperatorSpecException(
            $"{key} has the type {type.Name}, which a spec cannot express",
            spec,
            "Use numbers, true/false, enumerations, text or an IParsable type"
        );
    }

    internal static string Shorten(string text) => text.Length <= 60 ? text : text[..57] + "...";

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

    private static string NameOf(FieldInfo field) =>
        field.GetCustomAttribute<EnumMemberAttribute>()?.Value ?? OperatorParameter.SnakeCase(field.Name);
}
