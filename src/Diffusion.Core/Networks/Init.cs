using Diffusion.Checkpoints;
using Diffusion.Runtime;

namespace Diffusion.Networks;

/// <summary>What a parameter starts training from.</summary>
/// <param name="Kind">The distribution.</param>
/// <param name="Bound">Half width of the uniform distribution.</param>
public readonly record struct Init(InitKind Kind, double Bound = 0)
{
    /// <summary>All zeros.</summary>
    public static Init Zeros => new(InitKind.Zeros);

    /// <summary>All ones.</summary>
    public static Init Ones => new(InitKind.Ones);

    /// <summary>Standard normal: embeddings.</summary>
    public static Init Normal => new(InitKind.Normal);

    /// <summary>PyTorch's default for weights and biases of linear layers and convolutions: uniform within 1/sqrt(fan-in).</summary>
    public static Init FanIn(long fanIn) => new(InitKind.Uniform, 1 / Math.Sqrt(fanIn));

    /// <summary>Draws the values of one parameter, [<see cref="Parameter.Shape"/>] float32 on the CPU; the caller owns them.</summary>
    public Tensor Draw(Parameter parameter, ulong seed) =>
        Kind switch
        {
            InitKind.Ones => torch.ones(parameter.Shape),
            InitKind.Normal => Gaussian(parameter, seed),
            // The distribution function turns normal numbers into uniform ones: 2 Phi(z) - 1 = erf(z / sqrt 2).
            InitKind.Uniform => (Gaussian(parameter, seed) / Math.Sqrt(2)).erf() * Bound,
            _ => torch.zeros(parameter.Shape),
        };

    private static Tensor Gaussian(Parameter parameter, ulong seed) =>
        new PhiloxNoise(seed, [ImageKey.FromName(parameter.Name)]).Draw(NoiseRole.Start, [1, .. parameter.Shape])[0];
}

/// <summary>Distributions of <see cref="Init"/>.</summary>
public enum InitKind
{
    /// <summary>Zeros.</summary>
    Zeros,

    /// <summary>Ones.</summary>
    Ones,

    /// <summary>Standard normal.</summary>
    Normal,

    /// <summary>Uniform on [-bound, bound].</summary>
    Uniform,
}
