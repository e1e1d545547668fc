using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using Diffusion.Runtime;

namespace Diffusion.Inverse;

/// <summary>One key of an operator: its type, default, range and meaning.</summary>
public sealed class OperatorParameter
{
    private static readonly ConcurrentDictionary<Type, IReadOnlyList<OperatorParameter>> Cache = new();

    private OperatorParameter(string key, Type type, object? @default, SettingAttribute? setting, PropertyInfo? property) =>
        (Key, Type, Default, Setting, Property) = (key, type, @default, setting ?? new SettingAttribute(), property);

    /// <summary>The key in specs: the member's name in snake case.</summary>
    public string Key { get; }

    /// <summary>The member's type.</summary>
    public Type Type { get; }

    /// <summary>The value when the key is not given; null when there is none.</summary>
    public object? Default { get; }

    /// <summary>Whether a spec without this key cannot be bound.</summary>
    public bool Required { get; private init; }

    /// <summary>Range, unit and a sentence about it.</summary>
    public SettingAttribute Setting { get; }

    /// <summary>Names of the allowed values, where they are a closed set.</summary>
    public IReadOnlyList<string> Choices => SpecValue.Names(Type) ?? Setting.Choices?.Split('|') ?? [];

    /// <summary>The default as it is written in a spec; empty when there is none.</summary>
    public string DefaultText => Default is null ? "" : SpecValue.Print(Default);

    internal PropertyInfo? Property { get; }

    internal static IReadOnlyList<OperatorParameter> OfRecord(Type type) => Cache.GetOrAdd(type, static t =>
        {
            object defaults = Activator.CreateInstance(t)
                ?? throw new InvalidOperationException($"{t} has no constructor without parameters.");
            return
            [
                .. t.GetProperties(BindingFlags.Public | BindingFlags.Instance)
                    .Where(p => p.IsDefined(typeof(SettingAttribute)))
                    .OrderBy(p => p.MetadataToken)
                    .Select(p => new OperatorParameter(
                        SnakeCase(p.Name),
                        p.PropertyType,
                        p.GetValue(defaults),
                        p.GetCustomAttribute<SettingAttribute>(),
                        p
                    )),
            ];
        });

    internal static OperatorParameter OfArgument(ParameterInfo argument) =>
        new(
            SnakeCase(argument.Name!),
            argument.ParameterType,
            argument.HasDefaultValue ? DefaultOf(argument) : null,
            argument.GetCustomAttribute<SettingAttribute>(),
            null
        )
        {
            Required = !argument.HasDefaultValue,
        };

    /// <summary>Reads a value from the text of a spec.</summary>
    internal object? Read(string text, string spec)
    {
        object? value = SpecValue.Read(Type, text, Key, Choices, spec);
        Check(value, spec);
        return value;
    }

    internal void Check(object? value, string spec)
    {
        if (value is string word && Setting.Choices is not null && !Choices.Contains(word))
            throw new OperatorSpecException(
                $"{Key} is none of {string.Join(", ", Choices)}: \"{word}\"",
                spec,
                NearestName.Advice(word, Choices)
            );
        if (value is not (double or float or int or long or ulong))
            return;
        double number = Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture);
        string unit = Setting.Unit is null ? "" : " " + Setting.Unit;
        if (!double.IsFinite(number))
            throw new OperatorSpecException($"{Key} must be a finite number", spec);
        if (number < Setting.Min || number > Setting.Max)
            throw new OperatorSpecException(
                $"{Key} is {SpecValue.Print(value)}{unit}",
                spec,
                double.IsInfinity(Setting.Max) ? $"It must be at least {Setting.Min}{unit}"
                    : double.IsInfinity(Setting.Min) ? $"It must be at most {Setting.Max}{unit}"
                    : $"It must be between {Setting.Min} and {Setting.Max}{unit}"
            );
    }

    internal static string SnakeCase(string name)
    {
        StringBuilder text = new();
        for (int i = 0; i < name.Length; i++)
        {
            if (char.IsUpper(name[i]) && i > 0 && (!char.IsUpper(name[i - 1]) || (i + 1 < name.Length && char.IsLower(name[i + 1]))))
                text.Append('_');
            text.Append(char.ToLowerInvariant(name[i]));
        }
        return text.ToString();
    }

    private static object? DefaultOf(ParameterInfo argument) =>
        argument.DefaultValue is { } value && argument.ParameterType.IsEnum
            ? Enum.ToObject(argument.ParameterType, value)
            : argument.DefaultValue;
}
