using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.ZeroShot;

/// <summary>Finds the picture that a measurement was made of: its channels, height and width.</summary>
internal static class InputSize
{
    // Divisible by every usual factor, small enough to cost nothing.
    private const int Probe = 240;

    /// <summary>
    /// The operator of the pictures that <paramref name="spec"/> turns into a measurement like <paramref name="measured"/>; the caller
    /// disposes it.
    /// </summary>
    /// <param name="spec">The degradation.</param>
    /// <param name="measured">The measurement as a picture.</param>
    /// <param name="priorChannels">
    /// Tried first: a colour picture behind a one-channel measurement (Bayer patterns, gray) is restored in colour.
    /// </param>
    /// <param name="device">Where its constants live.</param>
    /// <exception cref="OperatorSpecException">No picture gives such a measurement.</exception>
    public static LinearOperator Bind(OperatorSpec spec, ImageShape measured, int priorChannels, Device device)
    {
        (int height, int width) = Before(spec, measured.Height, measured.Width);
        OperatorSpecException? problem = null;
        foreach (int channels in new[] { priorChannels, measured.Channels, 1 }.Distinct())
        {
            try
            {
                LinearOperator a = spec.Bind(new ImageShape(channels, height, width), device);
                if (a.Output.IsImage && a.Output.Image == measured)
                    return a;
                a.Dispose();
            }
            catch (OperatorSpecException e)
            {
                problem ??= e;
            }
        }
        throw problem
            ?? new OperatorSpecException(
                $"No picture gives a measurement of {measured.Channels} channels and {measured.Height}x{measured.Width} pixels "
                    + $"(height x width)",
                spec.ToString(),
                "Restore the file that diffusion degrade wrote: its side file knows the size"
            );
    }

    /// <summary>The size in front of the operators, from what each does to a picture of a known size.</summary>
    public static (int Height, int Width) Before(OperatorSpec spec, int height, int width)
    {
        IReadOnlyList<OperatorSpec> parts = spec is ComposedSpec composed ? composed.Parts : [spec];
        foreach (OperatorSpec part in parts.Reverse())
            (height, width) = BeforeOne(part, height, width);
        return (height, width);
    }

    private static (int Height, int Width) BeforeOne(OperatorSpec part, int height, int width)
    {
        try
        {
            using LinearOperator a = part.Bind(new ImageShape(3, Probe, Probe));
            if (!a.Output.IsImage)
                return (height, width);
            ImageShape seen = a.Output.Image;
            return (Invert(height, seen.Height), Invert(width, seen.Width));
        }
        catch (OperatorSpecException)
        {
            // A mask file or a rectangle that fits no probe keeps the size, or is reported when the whole spec is bound.
            return (height, width);
        }
    }

    private static int Invert(int size, int seen) =>
        seen < Probe && Probe % seen == 0 ? size * (Probe / seen) : Math.Max(1, size + Probe - seen);
}
