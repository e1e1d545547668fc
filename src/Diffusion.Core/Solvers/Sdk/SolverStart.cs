using Diffusion.Imaging;
using Diffusion.Inverse;

namespace Diffusion.Solvers;

/// <summary>The picture that a solver starts from.</summary>
public enum SolverStart
{
    /// <summary>The operator's first guess: fill-in for masks, enlargement for downsampling, a damped pseudo-inverse elsewhere.</summary>
    Guess,

    /// <summary>
    /// The measurement itself where it is a picture of the right size, its cubic enlargement (a = -0.75) where it is reduced; the guess
    /// elsewhere.
    /// </summary>
    Measurement,
}

/// <summary>Makes the pictures of <see cref="SolverStart"/>.</summary>
public static class SolverStarts
{
    /// <summary>The picture.</summary>
    /// <param name="start">Which one.</param>
    /// <param name="a">The operator.</param>
    /// <param name="y">The measurement, borrowed.</param>
    /// <param name="request">What an iterative solution may cost.</param>
    /// <returns>[N,C,H,W] in the shape of the operator's input; the caller owns it.</returns>
    public static Tensor Of(this SolverStart start, LinearOperator a, Tensor y, SolveRequest request)
    {
        if (a is WhitenedOperator whitened)
        {
            using Tensor measured = whitened.Measured(y);
            return start.Of(whitened.Inner, measured, request);
        }
        if (start == SolverStart.Guess || !a.Output.IsImage || a.Traits.Mask || a.Output.Image.Channels != a.Input.Channels)
            return a.Guess(y, request);
        if (a.Output.Image == a.Input)
            return y.clone();
        return Resize.OpenCvCubic(y, a.Input.Height, a.Input.Width);
    }
}
