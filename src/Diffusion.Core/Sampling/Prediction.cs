namespace Diffusion.Sampling;

/// <summary>What the output of a network means.</summary>
public enum Prediction
{
    /// <summary>The noise of a variance-preserving process.</summary>
    Epsilon,

    /// <summary>v = sqrt(alphaBar) noise - sqrt(1 - alphaBar) x0 (Salimans and Ho 2022).</summary>
    V,

    /// <summary>The clean picture.</summary>
    X0,

    /// <summary>The inner network of an EDM denoiser; see <see cref="KarrasScalings"/>.</summary>
    Edm,

    /// <summary>The inner network of a consistency model; see <see cref="KarrasScalings"/>.</summary>
    Consistency,

    /// <summary>A consistency function written as x - sigma eps.</summary>
    EpsilonConsistency,
}

/// <summary>Names of predictions, and the arithmetic between them.</summary>
/// <remarks>
/// x_t = sqrt(a) x0 + sqrt(1 - a) n with a = alphaBar. Tensors are borrowed, of one shape, of any dtype; results are the caller's.
/// </remarks>
public static class Predictions
{
    /// <summary>
    /// The name in cards: <c>epsilon</c>, <c>v</c>, <c>x0</c>, <c>edm</c>, <c>consistency</c> or <c>epsilon-consistency</c>.
    /// </summary>
    public static string Name(Prediction prediction) => Names[prediction];

    /// <summary>The prediction of a name in a card.</summary>
    /// <exception cref="FormatException">There is none; the message names those that are.</exception>
    public static Prediction Parse(string name)
    {
        foreach ((Prediction prediction, string known) in Names)
            if (known == name)
                return prediction;
        throw new FormatException($"the prediction \"{name}\" is not known; use {string.Join(", ", Names.Values)}");
    }

    /// <summary>The clean picture that an output means.</summary>
    /// <param name="prediction">Epsilon, V or X0.</param>
    /// <param name="xt">x_t, [N,C,H,W], borrowed.</param>
    /// <param name="output">The network's output, [N,C,H,W], borrowed.</param>
    /// <param name="alphaBar">a, above 0 and at most 1.</param>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    /// <returns>[N,C,H,W]; the caller owns it.</returns>
    /// <exception cref="ArgumentException">Another prediction, which is no variance-preserving one.</exception>
    public static Tensor X0(Prediction prediction, Tensor xt, Tensor output, double alphaBar)
    {
        (double signal, double noise) = (Math.Sqrt(alphaBar), Math.Sqrt(1 - alphaBar));
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor x0 = prediction switch
        {
            Prediction.Epsilon or Prediction.EpsilonConsistency => (xt - noise * output) / signal,
            Prediction.V => signal * xt - noise * output,
            Prediction.X0 => output.alias(),
            _ => throw Refuse(prediction),
        };
        return x0.MoveToOuterDisposeScope();
    }

    /// <summary>The noise that an output means.</summary>
    /// <inheritdoc cref="X0"/>
    public static Tensor Epsilon(Prediction prediction, Tensor xt, Tensor output, double alphaBar)
    {
        (double signal, double noise) = (Math.Sqrt(alphaBar), Math.Sqrt(1 - alphaBar));
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor epsilon = prediction switch
        {
            Prediction.Epsilon or Prediction.EpsilonConsistency => output.alias(),
            Prediction.V => signal * output + noise * xt,
            Prediction.X0 => (xt - signal * output) / noise,
            _ => throw Refuse(prediction),
        };
        return epsilon.MoveToOuterDisposeScope();
    }

    private static IReadOnlyDictionary<Prediction, string> Names { get; } =
        new Dictionary<Prediction, string>
        {
            [Prediction.Epsilon] = "epsilon",
            [Prediction.V] = "v",
            [Prediction.X0] = "x0",
            [Prediction.Edm] = "edm",
            [Prediction.Consistency] = "consistency",
            [Prediction.EpsilonConsistency] = "epsilon-consistency",
        };

    private static ArgumentException Refuse(Prediction prediction) =>
        new($"A network that predicts {Name(prediction)} is of no variance-preserving process. Use KarrasScalings.");
}
