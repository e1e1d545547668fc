namespace Diffusion.Solvers;

/// <summary>
/// The eight turns and flips of a picture [N,C,H,W], numbered 0 to 7 as in the published DPIR code; odd quarter turns swap H and W. Tensors
/// that are given are borrowed; the caller owns the result.
/// </summary>
public static class Dihedral
{
    /// <summary>Counter-clockwise quarter turns, then, in some modes, the rows in reverse order.</summary>
    public static Tensor Turn(Tensor x, int mode)
    {
        (int quarters, bool flip) = Modes[mode];
        Tensor turned = quarters == 0 ? x : torch.rot90(x, quarters, (2, 3));
        return (flip ? turned.flip(2) : turned).contiguous();
    }

    /// <summary>Undoes <see cref="Turn"/>.</summary>
    public static Tensor TurnBack(Tensor x, int mode)
    {
        (int quarters, bool flip) = Modes[mode];
        Tensor turned = flip ? x.flip(2) : x;
        return (quarters == 0 ? turned : torch.rot90(turned, -quarters, (2, 3))).contiguous();
    }

    private static readonly (int Quarters, bool Flip)[] Modes =
    [
        (0, false),
        (1, true),
        (0, true),
        (3, false),
        (2, true),
        (1, false),
        (2, false),
        (3, true),
    ];
}
