using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.ZeroShot;

/// <summary>An operator bound to the pictures of one size, in colour or gray.</summary>
internal sealed class BoundProblem : IDisposable
{
    // What rows of length 1 make of a gray picture: the square root of the number of channels.
    private readonly double _gain;

    private BoundProblem(OperatorSpec spec, LinearOperator a, LinearOperator solved)
    {
        Spec = spec;
        A = a;
        Solved = solved;
        _gain = IsGray ? Math.Sqrt(solved.Input.Channels) : 1;
    }

    /// <summary>The spec.</summary>
    public OperatorSpec Spec { get; }

    /// <summary>The operator on the picture as the user sees it: one channel for a gray one.</summary>
    public LinearOperator A { get; }

    /// <summary>The operator on the prior's pictures: A, or gray | A.</summary>
    public LinearOperator Solved { get; }

    // Whether one channel is restored by a colour prior.
    private bool IsGray => !ReferenceEquals(A, Solved);

    /// <summary>What a preset looks at.</summary>
    /// <param name="sigma">Standard deviation of the noise of the measurement.</param>
    /// <param name="prior">The prior.</param>
    /// <param name="steps">At most so many network evaluations; null leaves it to the preset.</param>
    public PresetRequest Request(double sigma, PriorInfo prior, int? steps) => PresetRequest.For(A, sigma * _gain, prior, steps);

    /// <summary>The problem on the prior's pictures. One channel is measured, never three equal ones with equal noise.</summary>
    /// <param name="y">[N, A.Output]: measurements; borrowed.</param>
    /// <param name="noise">Their noise.</param>
    /// <param name="condition">Class labels.</param>
    /// <param name="unevenness">How noisy each value is in units of <paramref name="noise"/>; null: all are equally noisy.</param>
    public InverseProblem Problem(Tensor y, GaussianNoise noise, Condition condition, Tensor? unevenness = null) =>
        new(y * _gain, Solved, noise * _gain, condition, Unevenness: unevenness);

    /// <summary>The picture as the user sees it, of a restored one.</summary>
    public Tensor Picture(Tensor x) => IsGray ? x.mean([1], keepdim: true) : x;

    /// <summary>Binds <paramref name="spec"/> to what <paramref name="measurement"/> was made of, once.</summary>
    /// <exception cref="OperatorSpecException">No picture gives such a measurement, or nothing is known in it.</exception>
    public static BoundProblem Bind(OperatorSpec spec, Measurement measurement, int priorChannels, string priorName, Device device)
    {
        LinearOperator a = SeenOperator.Of(OperatorOf(spec, measurement, priorChannels, device), spec, measurement);
        try
        {
            return Of(spec, a, priorChannels, priorName);
        }
        catch
        {
            a.Dispose();
            throw;
        }
    }

    /// <summary>The problem of an operator that is bound already; it is taken over.</summary>
    /// <exception cref="OperatorSpecException">The prior is for other channels.</exception>
    public static BoundProblem Of(OperatorSpec spec, LinearOperator a, int priorChannels, string priorName) =>
        a.Input.Channels == priorChannels ? new(spec, a, a)
        : a.Input.Channels == 1 ? new(spec, a, OfGray(a, priorChannels))
        : throw new OperatorSpecException(
            $"The picture has {a.Input.Channels} channels, but prior {priorName} is for {priorChannels}",
            spec.ToString(),
            "Use a colour prior, or convert the picture to gray"
        );

    /// <inheritdoc/>
    public void Dispose() => Solved.Dispose();

    private static LinearOperator OfGray(LinearOperator a, int channels) =>
        ComposedOperator.Of(new Gray { Weights = GrayWeights.Unit }.Bind(a.Input with { Channels = channels }, a.Device), a);

    // Of the size that the side file says, unless the user named another operator than the one that it belongs to.
    private static LinearOperator OperatorOf(OperatorSpec spec, Measurement measurement, int priorChannels, Device device)
    {
        if (measurement.Own is { } own)
            return OfOwn(spec, own, device);
        if (measurement.Clean is { } known)
        {
            if (measurement.Shape is null || measurement.Side!.Operator == spec.ToString())
                return Making(spec.Bind(known, device), spec, measurement);
            if (Fitting(spec, known, measurement, device) is { } fitting)
                return fitting;
        }
        return measurement.Shape is { } seen
            ? InputSize.Bind(spec, seen, priorChannels, device)
            : throw new OperatorSpecException(
                $"The measurement \"{measurement.Name}\" is no picture and has no side file, so the size of the picture is not known",
                spec.ToString(),
                "Keep the .json file that diffusion degrade wrote beside it"
            );
    }

    // What the operators before the last one make is the picture behind the array.
    private static LinearOperator OfOwn(OperatorSpec spec, OwnMeasurement own, Device device)
    {
        if (spec is not ComposedSpec composed)
            return own.Bind?.Invoke(device) ?? spec.Bind(own.Picture, device);
        OperatorSpec first = ComposedSpec.Of(composed.Parts.SkipLast(1));
        (int height, int width) = InputSize.Before(first, own.Picture.Height, own.Picture.Width);
        LinearOperator before = first.Bind(own.Picture with { Height = height, Width = width }, device);
        if (before.Output.IsImage && before.Output.Image == own.Picture)
            return ComposedOperator.Of(before, own.Bind?.Invoke(device) ?? composed.Parts[^1].Bind(own.Picture, device));
        OperatorSpecException error = new(
            $"\"{first}\" makes {before.Output} of a picture of {before.Input}, but {own.Picture} was measured",
            spec.ToString(),
            "Leave it out, or correct it"
        );
        before.Dispose();
        throw error;
    }

    private static LinearOperator Making(LinearOperator a, OperatorSpec spec, Measurement measurement)
    {
        if (Makes(a, measurement))
            return a;
        OperatorSpecException error = new(
            $"The measurement \"{measurement.Name}\" is {string.Join("x", measurement.Y.shape[1..])}, but the operator makes {a.Output} of "
                + $"a picture of {a.Input}",
            spec.ToString(),
            "Use the operator that it was made with"
        );
        a.Dispose();
        throw error;
    }

    private static LinearOperator? Fitting(OperatorSpec spec, ImageShape clean, Measurement measurement, Device device)
    {
        // Before anything is built for what may be a huge picture.
        if (measurement.Shape is { } seen && InputSize.Before(spec, seen.Height, seen.Width) != (clean.Height, clean.Width))
            return null;
        try
        {
            LinearOperator a = spec.Bind(clean, device);
            if (Makes(a, measurement))
                return a;
            a.Dispose();
            return null;
        }
        catch (OperatorSpecException)
        {
            return null;
        }
    }

    private static bool Makes(LinearOperator a, Measurement measurement) => a.Output.Batch(1).AsSpan().SequenceEqual(measurement.Y.shape);
}
