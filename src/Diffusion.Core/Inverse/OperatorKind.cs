using System.Reflection;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Inverse;

/// <summary>One entry of the catalogue: an operator's name, its settings, and how a spec of it is made.</summary>
public abstract class OperatorKind
{
    private protected OperatorKind(Type type)
    {
        Type = type;
        Attribute = type.GetCustomAttribute<OperatorAttribute>()!;
    }

    /// <summary>The name in specs.</summary>
    public string Name => Attribute.Name;

    /// <summary>One sentence about it; empty when it gives none.</summary>
    public string About => Attribute.About ?? "";

    /// <summary>Specs that run as they stand.</summary>
    public IReadOnlyList<string> Examples =>
        Attribute.Examples?.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];

    /// <summary>The class that implements it.</summary>
    public Type Type { get; }

    /// <summary>Its settings, in the order of declaration: the keys of a spec.</summary>
    public abstract IReadOnlyList<Setting> Settings { get; }
    private protected OperatorAttribute Attribute { get; }

    internal abstract OperatorSpec Create(IReadOnlyDictionary<string, object?> values);

    /// <summary>The kind that a class marked with <see cref="OperatorAttribute"/> declares.</summary>
    /// <exception cref="OperatorSpecException">The class is neither a spec nor a one-class operator.</exception>
    internal static OperatorKind Of(Type type)
    {
        if (
            type.GetCustomAttribute<OperatorAttribute>()!.Name is var name
            && (name.Length == 0 || name.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')))
        )
            throw new OperatorSpecException($"\"{name}\" is no name for an operator", type.FullName, "Use letters, digits, - and _");
        if (typeof(OperatorSpec).IsAssignableFrom(type) && type.GetConstructor(Type.EmptyTypes) is not null)
            return new SpecKind(type);
        if (
            typeof(LinearOperator).IsAssignableFrom(type)
            && type.GetConstructors() is [{ } constructor]
            && constructor.GetParameters() is [{ } first, ..]
            && first.ParameterType == typeof(ImageShape)
        )
            return new ClassKind(type, constructor);
        throw new OperatorSpecException(
            $"[Operator(\"{name}\")] stands on {type.Name}, which is no operator",
            type.FullName,
            "Derive a record with a constructor without parameters from OperatorSpec, or a class with one public constructor "
                + "(ImageShape input, ...) from LinearOperator"
        );
    }

    // A record whose [Setting] properties are set one by one on a fresh instance.
    private sealed class SpecKind(Type type) : OperatorKind(type)
    {
        public override IReadOnlyList<Setting> Settings { get; } = Setting.Of(type);

        internal override OperatorSpec Create(IReadOnlyDictionary<string, object?> values)
        {
            OperatorSpec spec = (OperatorSpec)Activator.CreateInstance(Type)!;
            foreach (Setting setting in Settings)
            {
                if (values.TryGetValue(setting.Name, out object? value))
                    setting.Set(spec, value);
            }
            return spec;
        }
    }

    // A LinearOperator whose constructor's parameters are the keys. A parameter of type Device is given the device.
    internal sealed class ClassKind : OperatorKind
    {
        internal ClassKind(Type type, ConstructorInfo constructor)
            : base(type)
        {
            Constructor = constructor;
            Settings = [.. constructor.GetParameters().Skip(1).Where(p => p.ParameterType != typeof(Device)).Select(Setting.OfArgument)];
        }

        public override IReadOnlyList<Setting> Settings { get; }
        internal ConstructorInfo Constructor { get; }

        internal override OperatorSpec Create(IReadOnlyDictionary<string, object?> values) => new ClassSpec(this, values);
    }
}
