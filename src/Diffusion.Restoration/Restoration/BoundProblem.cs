using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

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

    /// <summary>Binds <paramref name="spec"/> to what <paramref name="measurement"/> was made of.</summary>
    /// <exception cref="OperatorSpecException">No picture gives such a measurement.</exception>
    public static BoundProblem Bind(OperatorSpec spec, Measurement measurement, int priorChannels, string priorName, Device device)
    {
        ImageShape clean = CleanShape(spec, measurement, priorChannels);
        LinearOperator a = spec.Bind(clean, device);
        try
        {
            if (!Makes(a, measurement))
                throw new OperatorSpecException(
                    $"The measurement \"{measurement.Name}\" is {string.Join("x", measurement.Y.shape[1..])}, but the operator "
                        + $"makes {a.Output} of a picture of {clean}",
                    spec.ToString(),
                    "Use the operator that it was made with"
                );
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

    /// <summary>What the side file says, unless the user named another operator than the one that it belongs to.</summary>
    private static ImageShape CleanShape(OperatorSpec spec, Measurement measurement, int priorChannels)
    {
        if (
            measurement.Clean is { } known
            && (measurement.Shape is null || measurement.Side!.Operator == spec.ToString() || Fits(spec, known, measurement))
        )
            return known;
        return measurement.Shape is { } seen
            ? InputSize.Of(spec, seen, priorChannels)
            : throw new OperatorSpecException(
                $"The measurement \"{measurement.Name}\" is no picture and has no side file, so the size of the picture is not known",
                spec.ToString(),
                "Keep the .json file that diffusion degrade wrote beside it"
            );
    }

    private static bool Fits(OperatorSpec spec, ImageShape clean, Measurement measurement)
    {
        // Before anything is built for what may be a huge picture.
        if (measurement.Shape is { } seen && InputSize.Before(spec, seen.Height, seen.Width) != (clean.Height, clean.Width))
            return false;
        try
        {
            using LinearOperator a = spec.Bind(clean);
            return Makes(a, measurement);
        }
        catch (OperatorSpecException)
        {
            return false;
        }
    }

    private static bool Makes(LinearOperator a, Measurement measurement) => a.Output.Batch(1).AsSpan().SequenceEqual(measurement.Y.shape);
}
