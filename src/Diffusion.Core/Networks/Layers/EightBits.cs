namespace Diffusion.Networks.Layers;

/// <summary>Pictures of 8 bits, which some denoisers were trained on.</summary>
public static class EightBits
{
    /// <summary>Clips [N,C,H,W] on [0,1] and rounds to 255 steps, halves to even numbers; the caller owns the result.</summary>
    public static Tensor Round(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return ((x.clamp(0, 1) * 255).round() / 255).MoveToOuterDisposeScope();
    }
}
