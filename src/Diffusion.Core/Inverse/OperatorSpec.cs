using System.Reflection;
using Diffusion.Arrays;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Inverse;

/// <summary>
/// An operator that knows no sizes yet: <c>blur:sigma=2|downsample:factor=4</c>, or <c>new Blur { Sigma = 2 } | new Downsample { Factor = 4
/// }</c>.
/// Bound to the shape of a picture it becomes a <see cref="LinearOperator"/>; sizes that don't fit are reported there.
/// </summary>
/// <remarks>
/// Specs are immutable and compare by value. <see cref="ToString"/> is the canonical text; parsing it gives an equal spec.
/// </remarks>
public abstract record OperatorSpec
{
    /// <summary>The operator's name in specs.</summary>
    public virtual string Name => GetType().GetCustomAttribute<OperatorAttribute>()?.Name ?? GetType().Name;

    /// <summary>Binds the spec to pictures of one shape.</summary>
    /// <param name="input">The shape of the pictures that the operator will measure.</param>
    /// <param name="device">Where its constants live; the CPU by default.</param>
    /// <returns>The operator; the caller disposes it.</returns>
    /// <exception cref="OperatorSpecException">A setting has an impossible value, or the shape does not fit.</exception>
    /// <exception cref="ArgumentException">The shape has no pixels.</exception>
    public LinearOperator Bind(ImageShape input, Device? device = null)
    {
        if (input.Channels < 1 || input.Height < 1 || input.Width < 1)
            throw new ArgumentException(
                $"A picture of {input.Channels} channels, {input.Height}x{input.Width} pixels (height x width) has no pixels.",
                nameof(input)
            );
        Check();
        using ComputeScope scope = new();
        return Create(input, device ?? new Device("cpu"));
    }

    /// <summary>
    /// The operators of areas of a picture, where the operator looks only at a pixel's surroundings; null where it does not. The caller
    /// disposes it.
    /// </summary>
    /// <param name="picture">The whole picture; <see cref="Bind"/> must accept it.</param>
    /// <param name="device">Where their constants live.</param>
    public virtual AreaOperators? ByArea(ImageShape picture, Device device) => null;

    /// <summary>
    /// Whether a user's own array (complex frequencies, a sinogram) can be a measurement of this operator; <see cref="Own"/> reads it.
    /// </summary>
    public virtual bool TakesArrays => false;

    /// <summary>Brings a user's own array into the form that this operator makes of a picture.</summary>
    /// <param name="array">The array; borrowed.</param>
    /// <param name="reading">Where it is from, and its scale.</param>
    /// <returns>The measurement; the caller disposes it, after the operators that it binds.</returns>
    /// <exception cref="OperatorSpecException">It can't be one, or the settings don't fit it.</exception>
    /// <exception cref="NotSupportedException">The operator takes no arrays.</exception>
    public virtual OwnMeasurement Own(NumericArray array, OwnReading reading) =>
        throw new NotSupportedException($"The operator \"{Name}\" takes pictures.");

    /// <summary>
    /// What a user should know about the files that the spec names, one sentence each, without a full stop. Reads the files.
    /// </summary>
    public virtual IReadOnlyList<string> Notes() => [];

    /// <summary>
    /// The files that are there and decide what the operator does: every text among the settings that names one. A spec that reads others
    /// says which.
    /// </summary>
    public virtual IReadOnlyList<string> Files() => [.. Values().Select(v => v.Value).OfType<string>().Where(File.Exists)];

    /// <summary>Checks every setting against its declared range, and the settings against each other.</summary>
    /// <exception cref="OperatorSpecException">The first one that is impossible.</exception>
    public void Check()
    {
        foreach ((Setting setting, object? value) in Values())
        {
            try
            {
                setting.Check(value);
            }
            catch (SettingException wrong)
            {
                throw new OperatorSpecException(wrong.What, ToString(), wrong.Remedy, wrong);
            }
        }
        Validate();
    }

    /// <summary>Joins two specs: the picture passes through <paramref name="first"/>, then through <paramref name="second"/>.</summary>
    public static OperatorSpec operator |(OperatorSpec first, OperatorSpec second) => ComposedSpec.Of(first, second);

    /// <summary>The canonical text: settings that differ from their defaults, quoted where needed.</summary>
    public sealed override string ToString() => Print();

    /// <summary>Builds the operator. Called with checked settings; tensors that it keeps must be detached from the dispose scope.</summary>
    protected abstract LinearOperator Create(ImageShape input, Device device);

    /// <summary>Checks the settings against each other.</summary>
    protected virtual void Validate() { }

    /// <summary>An error about this spec.</summary>
    protected OperatorSpecException Error(string what, string? remedy = null) => new(what, ToString(), remedy);

    internal virtual IReadOnlyList<(Setting Setting, object? Value)> Values() =>
        [.. Setting.Of(GetType()).Select(setting => (setting, setting.ValueOf(this)))];

    internal virtual string Print() =>
        SpecText.Print(
            Name,
            Values().Where(v => !Equals(v.Value, v.Setting.Default)).Select(v => (v.Setting.Name, SettingValue.Print(v.Value)))
        );
}
