using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using Diffusion.Runtime;

namespace Diffusion.Settings;

/// <summary>
/// One setting of a solver or an operator: its name, type, default, range, unit, choices, symbol and sentence, and how its values are read,
/// checked and written.
/// </summary>
public sealed class Setting
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<Setting>> Cache = new();
    private readonly SettingAttribute _attribute;
    private readonly PropertyInfo? _property;
    private readonly Lazy<string> _about;
    private readonly bool _optional;

    private Setting(string member, Type type, object? @default, SettingAttribute? attribute, PropertyInfo? property, Func<string> about)
    {
        Name = SettingName.Of(member);
        _optional = Nullable.GetUnderlyingType(type) is not null;
        Type = Nullable.GetUnderlyingType(type) ?? type;
        Default = @default;
        _attribute = attribute ?? new SettingAttribute();
        _property = property;
        _about = new(about);
    }

    /// <summary>Name in commands and specs: the member's in lower case with hyphens (<c>sigma-start</c>).</summary>
    public string Name { get; }

    /// <summary>The type of its values; a setting that may be left to the run has the type of its values, too.</summary>
    public Type Type { get; }

    /// <summary>The value when nobody sets it; null when there is none.</summary>
    public object? Default { get; }

    /// <summary>Whether it must be set.</summary>
    public bool Required { get; private init; }

    /// <summary>The paper's symbol, also accepted as a name; null when there is none.</summary>
    public string? Symbol => _attribute.Symbol;

    /// <summary>Unit: pixels, degrees; null for plain numbers.</summary>
    public string? Unit => _attribute.Unit;

    /// <summary>Smallest allowed value; minus infinity when there is none.</summary>
    public double Min => _attribute.Min;

    /// <summary>Largest allowed value; infinity when there is none.</summary>
    public double Max => _attribute.Max;

    /// <summary>
    /// One sentence, without a full stop: the first of its XML docs. Empty where the assembly's XML docs file does not lie beside it.
    /// </summary>
    public string About => _about.Value;

    /// <summary>Names of the allowed values, where they are a closed set.</summary>
    public IReadOnlyList<string> Choices => SettingValue.Names(Type) ?? _attribute.Choices?.Split('|') ?? [];

    /// <summary>The default as text for tables (numbers have at most six decimals); empty when there is none.</summary>
    public string DefaultText => SettingValue.Round(Default);

    /// <summary>The kind of value: <c>integer</c>, <c>number</c>, <c>numbers</c>, <c>text</c>, or the choices.</summary>
    public string Kind => Choices.Count > 0 ? string.Join('|', Choices) : SettingValue.Kind(Type);

    /// <summary>The allowed range as text: <c>0..1</c>, <c>1..</c>; empty when every value is allowed.</summary>
    public string Range => double.IsInfinity(Min) && double.IsInfinity(Max) ? "" : $"{End(Min)}..{End(Max)}";

    /// <summary>The settings of a record: its properties with a <see cref="SettingAttribute"/>, its own before its base's.</summary>
    /// <param name="type">A record with a constructor without parameters.</param>
    public static IReadOnlyList<Setting> Of(Type type) => Cache.GetOrAdd(type, static t =>
        {
            object defaults = Activator.CreateInstance(t)
                ?? throw new InvalidOperationException($"{t} has no constructor without parameters.");
            return
            [
                .. t.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                    .Where(p => p.IsDefined(typeof(SettingAttribute)))
                    .OrderByDescending(p => Depth(p.DeclaringType))
                    .ThenBy(p => p.MetadataToken)
                    .Select(p => new Setting(
                        p.Name,
                        p.PropertyType,
                        p.GetValue(defaults),
                        p.GetCustomAttribute<SettingAttribute>(),
                        p,
                        () => Sentences.Of(p)
                    )),
            ];
        });

    /// <summary>Whether this is its name, its symbol or one of its former names; case, hyphens and underscores don't matter.</summary>
    public bool IsNamed(string name) =>
        SettingName.Same(name, Name)
        || (Symbol is not null && SettingName.Same(name, Symbol))
        || (_attribute.Aliases?.Split('|').Any(alias => SettingName.Same(name, alias)) ?? false);

    /// <summary>
    /// The value that an owner has, as text for tables (numbers have at most six decimals); <c>auto</c> for one that is decided in the run.
    /// </summary>
    /// <param name="owner">The solver or the operator's spec.</param>
    public string Get(object owner) => _property!.GetValue(owner) is { } value ? SettingValue.Round(value) : SettingValue.Auto;

    /// <summary>Reads a value and checks it.</summary>
    /// <exception cref="SettingException">It cannot be read, or lies out of range.</exception>
    internal object? Parse(string text)
    {
        if (_optional && text == SettingValue.Auto)
            return null;
        object value = SettingValue.Read(Type, text, Name);
        Check(value);
        return value;
    }

    /// <summary>Checks a value against choices and range.</summary>
    /// <exception cref="SettingException">It is none of the choices, out of range, or no number.</exception>
    internal void Check(object? value)
    {
        if (value is string word && _attribute.Choices is not null && !Choices.Contains(word))
            throw new SettingException(
                $"{Name} must be one of {string.Join(", ", Choices)}, not \"{SettingValue.Shorten(word)}\"",
                NearestName.Of(word, Choices) is { } near ? $"Did you mean \"{near}\"?" : null
            );
        if (value is double or float or int or long or ulong)
            Check(Convert.ToDouble(value, CultureInfo.InvariantCulture), Name, _attribute);
        else if (value is IEnumerable<double> numbers)
            foreach (double number in numbers)
                Check(number, Name, _attribute);
    }

    /// <summary>Reads a value and gives it to an owner that nobody else has yet.</summary>
    /// <param name="fresh">The solver, the operator's spec or the method.</param>
    /// <param name="text">The value.</param>
    /// <exception cref="ArgumentException">It cannot be read, or lies out of range.</exception>
    public void Assign(object fresh, string text)
    {
        try
        {
            Set(fresh, Parse(text.Trim()));
        }
        catch (SettingException wrong)
        {
            throw new ArgumentException(wrong.Message);
        }
    }

    internal object? ValueOf(object owner) => _property!.GetValue(owner);

    internal void Set(object owner, object? value)
    {
        try
        {
            _property!.SetValue(owner, value);
        }
        catch (TargetInvocationException e) when (e.InnerException is ArgumentException inner)
        {
            throw inner;
        }
    }

    internal static Setting OfArgument(ParameterInfo argument) =>
        new(
            argument.Name!,
            argument.ParameterType,
            argument.HasDefaultValue ? DefaultOf(argument) : null,
            argument.GetCustomAttribute<SettingAttribute>(),
            null,
            () => Sentences.Of(argument)
        )
        {
            Required = !argument.HasDefaultValue,
        };

    /// <summary>Checks a number against the range of the setting of the same name, for use in its accessor.</summary>
    /// <typeparam name="TOwner">The record that declares the setting.</typeparam>
    /// <exception cref="ArgumentException">Out of range, or not a number.</exception>
    public static double Check<TOwner>(double value, [CallerMemberName] string property = "")
    {
        try
        {
            Check(value, SettingName.Of(property), typeof(TOwner).GetProperty(property)!.GetCustomAttribute<SettingAttribute>()!);
            return value;
        }
        catch (SettingException wrong)
        {
            throw new ArgumentException(wrong.Message);
        }
    }

    /// <inheritdoc cref="Check{TOwner}(double, string)"/>
    public static int Check<TOwner>(int value, [CallerMemberName] string property = "") => (int)Check<TOwner>((double)value, property);

    /// <inheritdoc cref="Check{TOwner}(double, string)"/>
    public static double? Check<TOwner>(double? value, [CallerMemberName] string property = "") =>
        value is { } number ? Check<TOwner>(number, property) : null;

    /// <summary>Checks every number of a list.</summary>
    /// <inheritdoc cref="Check{TOwner}(double, string)"/>
    public static IReadOnlyList<double> Check<TOwner>(IReadOnlyList<double> values, [CallerMemberName] string property = "") =>
        [.. values.Select(value => Check<TOwner>(value, property))];

    private static void Check(double value, string name, SettingAttribute range)
    {
        if (double.IsFinite(value) && value >= range.Min && value <= range.Max)
            return;
        string unit = range.Unit is null ? "" : " " + range.Unit,
            got = SettingValue.Print(value);
        throw new SettingException(
            !double.IsInfinity(range.Min) && !double.IsInfinity(range.Max)
                ? $"{name} must lie between {SettingValue.Round(range.Min)} and {SettingValue.Round(range.Max)}{unit}, not {got}"
            : !double.IsInfinity(range.Min) ? $"{name} must be at least {SettingValue.Round(range.Min)}{unit}, not {got}"
            : !double.IsInfinity(range.Max) ? $"{name} must be at most {SettingValue.Round(range.Max)}{unit}, not {got}"
            : $"{name} must be a finite number, not {got}"
        );
    }

    private static string End(double bound) => double.IsInfinity(bound) ? "" : SettingValue.Round(bound);

    private static int Depth(Type? type) => type is null ? 0 : 1 + Depth(type.BaseType);

    private static object? DefaultOf(ParameterInfo argument) =>
        argument.DefaultValue is { } value && argument.ParameterType.IsEnum
            ? Enum.ToObject(argument.ParameterType, value)
            : argument.DefaultValue;
}
