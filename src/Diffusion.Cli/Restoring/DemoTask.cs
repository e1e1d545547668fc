namespace Diffusion.Cli.Restoring;

/// <summary>One task of the demo.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Photo">A bundled photograph, without extension.</param>
/// <param name="Operator">The degradation.</param>
internal sealed record DemoTask(string Name, string Photo, string Operator)
{
    /// <summary>Standard deviation of the noise on [0,1].</summary>
    public const double Noise = 0.02;

    /// <summary>The three tasks.</summary>
    public static IReadOnlyList<DemoTask> All { get; } =
    [
        new("super-resolution", "cat", "downsample:factor=4"),
        new("deblurring", "coffee", "blur:sigma=2"),
        new("inpainting", "astronaut", "mask:random=0.8,seed=1"),
    ];

    /// <summary>Its file beside the executable.</summary>
    public string Path => System.IO.Path.Combine(AppContext.BaseDirectory, "demo", Photo + ".png");
}
