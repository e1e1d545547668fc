using System.Reflection;
using System.Runtime.ExceptionServices;
using Diffusion.Settings;

namespace Diffusion.Inverse;

/// <summary>
/// The spec of an operator that consists of one <see cref="LinearOperator"/> class: it holds the arguments of its constructor.
/// </summary>
internal sealed record ClassSpec : OperatorSpec
{
    private readonly OperatorKind.ClassKind _kind;
    private readonly IReadOnlyDictionary<string, object?> _values;

    internal ClassSpec(OperatorKind.ClassKind kind, IReadOnlyDictionary<string, object?> values) => (_kind, _values) = (kind, values);

    public override string Name => _kind.Name;

    public bool Equals(ClassSpec? other) => other is not null && _kind.Type == other._kind.Type && ToString() == other.ToString();

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    internal override IReadOnlyList<(Setting Setting, object? Value)> Values() =>
        [.. _kind.Settings.Select(s => (s, _values.GetValueOrDefault(s.Name, s.Default)))];

    protected override void Validate()
    {
        foreach (Setting setting in _kind.Settings)
        {
            if (setting.Required && !_values.ContainsKey(setting.Name))
                throw Error($"{setting.Name} is missing", $"Write {Name}:{setting.Name}=...");
        }
    }

    protected override LinearOperator Create(ImageShape input, Device device)
    {
        Queue<object?> values = new(Values().Select(v => v.Value));
        object?[] arguments =
        [
            input,
            .. _kind.Constructor.GetParameters().Skip(1).Select(p => p.ParameterType == typeof(Device) ? device : values.Dequeue()),
        ];
        try
        {
            return (LinearOperator)_kind.Constructor.Invoke(arguments);
        }
        catch (TargetInvocationException failed) when (failed.InnerException is ArgumentException wrong)
        {
            throw Error(wrong.Message.TrimEnd('.'));
        }
        catch (TargetInvocationException failed) when (failed.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Throw(inner);
            throw;
        }
    }
}
