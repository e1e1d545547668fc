using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>An operator bound to the pictures of one size, in colour or gray.</summary>
internal sealed class BoundProblem : IDisposable
{
    private BoundProblem(OperatorSpec spec, LinearOperator a, LinearOperator solved)
    {
        Spec = spec;
        A = a;
        Solved = solved;
    }

    /// <summary>The spec.</summary>
    public OperatorSpec Spec { get; }

    /// <summary>The operator on the picture as the user sees it: one channel for a gray one.</summary>
    public LinearOperator A { get; }

    /// <summary>The operator on the prior's pictures: A, or gray | A.</summary>
    public LinearOperator Solved { get; }

    /// <summary>Whether one channel is restored by a colour prior.</summary>
    public bool IsGray => !ReferenceEquals(A, Solved);

    /// <summary>Measurement and noise for <see cref="Solved"/> are those for <see cref="A"/> times this.</summary>
    public double Scale => Solved is GrayMeasurement gray ? gray.Scale : 1;

    /// <summary>Binds <paramref name="spec"/> to what <paramref name="measurement"/> was made of, once.</summary>
    /// <exception cref="OperatorSpecException">No picture gives such a measurement.</exception>
    public static BoundProblem Bind(OperatorSpec spec, Measurement measurement, int priorChannels, string priorName, Device device)
    {
        LinearOperator a = OperatorOf(spec, measurement, priorChannels, device);
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
        : a.Input.Channels == 1 ? new(spec, a, new GrayMeasurement(a, priorChannels))
        : throw new OperatorSpecException(
            $"The picture has {a.Input.Channels} channels, but prior {priorName} is for {priorChannels}",
            spec.ToString(),
            "Use a colour prior, or convert the picture to gray"
        );

    /// <inheritdoc/>
    public void Dispose() => Solved.Dispose();

    // Of the size that the side file says, unless the user named another operator than the one that it belongs to.
    private static LinearOperator OperatorOf(OperatorSpec spec, Measurement measurement, int priorChannels, Device device)
    {
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
