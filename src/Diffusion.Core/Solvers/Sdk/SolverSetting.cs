using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Solvers;

/// <summary>One setting of a solver: its name, type, range, default and symbol, and how its values are read, written and checked.</summary>
public sealed class SolverSetting
{
    private readonly PropertyInfo _property;
    private readonly SettingAttribute _attribute;
    private readonly Type _type;

    internal SolverSetting(PropertyInfo property, SettingAttribute attribute, ISolver defaults)
    {
        _property = property;
        _attribute = attribute;
        _type = Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType;
        Name = Kebab(property.Name);
        Default = Get(defaults);
    }

    /// <summary>Name in commands: the property's in lower case with hyphens (<c>start-index</c>).</summary>
    public string Name { get; }

    /// <summary>The paper's symbol, also accepted as a name; null when there is none.</summary>
    public string? Symbol => _attribute.Symbol;

    /// <summary>One sentence.</summary>
    public string About => _attribute.About ?? "";

    /// <summary>Unit: pixels, degrees; null for plain numbers.</summary>
    public string? Unit => _attribute.Unit;

    /// <summary>Smallest allowed value; minus infinity when there is none.</summary>
    public double Min => _attribute.Min;

    /// <summary>Largest allowed value; infinity when there is none.</summary>
    public double Max => _attribute.Max;

    /// <summary>The value of a newly constructed solver, as text.</summary>
    public string Default { get; }

    /// <summary>Allowed values, where they can be listed.</summary>
    public IReadOnlyList<string> Choices =>
        _type.IsEnum ? [.. Enum.GetNames(_type).Select(Kebab)]
        : _type == typeof(bool) ? ["true", "false"]
        : [];

    /// <summary>The kind of value: <c>integer</c>, <c>number</c>, <c>numbers</c>, <c>true|false</c>, or the choices.</summary>
    public string Kind =>
        _type == typeof(int) ? "integer"
        : _type == typeof(double) ? "number"
        : _type == typeof(IReadOnlyList<double>) ? "numbers"
        : string.Join('|', Choices);

    /// <summary>The allowed range as text: <c>0..1</c>, <c>1..</c>; empty when every value is allowed.</summary>
    public string Range =>
        double.IsInfinity(Min) && double.IsInfinity(Max)
            ? ""
            : $"{(double.IsInfinity(Min) ? "" : Text(Min))}..{(double.IsInfinity(Max) ? "" : Text(Max))}";

    /// <summary>The solver's value as text; <c>auto</c> for one that is decided in the run.</summary>
    public string Get(ISolver solver) =>
        _property.GetValue(solver) switch
        {
            null => "auto",
            double number => Text(number),
            IReadOnlyList<double> numbers => string.Join(',', numbers.Select(Text)),
            bool value => value ? "true" : "false",
            Enum value => Kebab(value.ToString()),
            var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };

    internal bool IsNamed(string name) => Same(name, Name) || (Symbol is not null && Same(name, Symbol));

    internal void Set(ISolver solver, string text)
    {
        try
        {
            _property.SetValue(solver, Parse(text.Trim()));
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException inner)
        {
            throw inner;
        }
    }

    /// <summary>Checks a value against the range of the setting of the same name, for use in its accessor.</summary>
    /// <exception cref="ArgumentException">Out of range, or not a number.</exception>
    public static double Check<TSolver>(double value, [CallerMemberName] string property = "")
    {
        SettingAttribute range = typeof(TSolver).GetProperty(property)!.GetCustomAttribute<SettingAttribute>()!;
        if (value >= range.Min && value <= range.Max)
            return value;
        throw new ArgumentException(
            double.IsInfinity(range.Max)
                ? $"{Kebab(property)} must be at least {Text(range.Min)}, not {Text(value)}."
                : $"{Kebab(property)} must lie between {Text(range.Min)} and {Text(range.Max)}, not {Text(value)}."
        );
    }

    /// <summary>Checks a whole number.</summary>
    public static int Check<TSolver>(int value, [CallerMemberName] string property = "") => (int)Check<TSolver>((double)value, property);

    /// <summary>Checks a value that may be left to the run.</summary>
    public static double? Check<TSolver>(double? value, [CallerMemberName] string property = "") =>
        value is { } number ? Check<TSolver>(number, property) : null;

    /// <summary>Checks every number of a list.</summary>
    public static IReadOnlyList<double> Check<TSolver>(IReadOnlyList<double> values, [CallerMemberName] string property = "") =>
        [.. values.Select(value => Check<TSolver>(value, property))];

    private object? Parse(string text)
    {
        if (text == "auto" && Nullable.GetUnderlyingType(_property.PropertyType) is not null)
            return null;
        if (_type == typeof(int) && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int integer))
            return integer;
        if (_type == typeof(double) && TryNumber(text, out double number))
            return number;
        if (_type == typeof(bool) && bool.TryParse(text, out bool flag))
            return flag;
        if (_type.IsEnum && Enum.GetNames(_type).FirstOrDefault(name => Same(Kebab(name), text)) is { } choice)
            return Enum.Parse(_type, choice);
        if (_type == typeof(IReadOnlyList<double>))
        {
            string[] parts = text.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);
            double[] numbers = new double[parts.Length];
            if (parts.Select((part, i) => TryNumber(part, out numbers[i])).All(ok => ok))
                return numbers;
        }
        string expected =
            Choices.Count > 0 ? $"one of {string.Join(", ", Choices)}"
            : _type == typeof(int) ? "a whole number"
            : _type == typeof(double) ? "a number"
            : "numbers separated by commas";
        throw new ArgumentException($"{Name} takes {expected}, not \"{text}\".");
    }

    private static bool TryNumber(string text, out double number) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number) && double.IsFinite(number);

    private static string Text(double number) => number.ToString("0.######", CultureInfo.InvariantCulture);

    private static bool Same(string a, string b) => string.Equals(Squeeze(a), Squeeze(b), StringComparison.OrdinalIgnoreCase);

    private static string Squeeze(string name) =>
        name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal);

    private static string Kebab(string name)
    {
        StringBuilder text = new();
        foreach (char c in name)
        {
            if (char.IsUpper(c) && text.Length > 0)
                text.Append('-');
            text.Append(char.ToLowerInvariant(c));
        }
        return text.ToString();
    }
}
