using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>Finds the layer where NaN or infinity appeared, for networks that may overflow in fp16.</summary>
public static class FiniteOutput
{
    /// <summary>Computes a network; where its output is not finite, computes it again and names the first layer that is not.</summary>
    /// <param name="network">The network.</param>
    /// <param name="name">What it is called in the error.</param>
    /// <param name="compute">Computes it and tells its modules; the result is [N,C,H,W].</param>
    /// <returns>[N,C,H,W] without NaN and infinity; the caller owns it.</returns>
    /// <exception cref="NumericalException">It is not finite.</exception>
    public static Tensor Of(Network network, string name, Func<ModuleTrace?, Tensor> compute)
    {
        Tensor output = compute(null);
        if (IsFinite(output))
            return output;
        output.Dispose();
        string? layer = null;
        compute((module, values) => layer ??= IsFinite(values) ? null : module).Dispose();
        bool half = network.Policy.NetworkDtype == ScalarType.Float16;
        throw new NumericalException(
            $"{name} {(half ? "overflows fp16" : "gives NaN or infinity")} in its layer {layer ?? "of output"}",
            remedy: half ? "Use --dtype bf16" : "Check the weights: diffusion checkpoints verify"
        );
    }

    private static bool IsFinite(Tensor values)
    {
        using Tensor each = values.isfinite(),
            all = each.all();
        return all.item<bool>();
    }
}
