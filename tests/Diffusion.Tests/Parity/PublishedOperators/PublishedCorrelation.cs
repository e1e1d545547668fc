using Diffusion.Inverse;

namespace Diffusion.Tests.Parity;

/// <summary>
/// Blurkernel of DPS and RDMD: reflection padding by k/2 (edge pixel not repeated), then correlation of each channel; everything else by
/// automatic differentiation and conjugate gradients.
/// </summary>
internal sealed class PublishedCorrelation(ImageShape input, Tensor kernel) : PublishedOperator(input, new MeasurementShape(input))
{
    /// <summary>[k,k].</summary>
    public Tensor Kernel { get; } = kernel;
    public override OperatorTraits Traits { get; } = new() { Blur = true };

    public static PublishedCorrelation Create(ParityCase reference, ConfigNode config, ImageShape shape)
    {
        config.Only("padding", "reflect (border pixel not repeated), kernel_size//2");
        string mode = config.String("blur_mode", "given");
        if (reference.Family == "operators")
            config.Only("blur_mode", "Gaussian", "given");
        if (config.Has("kernel_std_or_intensity"))
            _ = config.Double("kernel_std_or_intensity");
        string? name = new[] { "op.kernel", "kernel" }.FirstOrDefault(reference.HasInput);
        Assert.True(name is not null || mode == "Gaussian", "A kernel that is no input must be Gaussian.");
        return new PublishedCorrelation(
            shape,
            name is null ? ImpulseGaussian(config.Int("kernel_size"), config.Double("kernel_std_or_intensity")) : reference.Input(name)
        );
    }

    /// <summary>
    /// scipy's gaussian_filter of a unit impulse: separable, truncated at radius int(4 std + 0.5), edges mirrored with the edge sample
    /// repeated, not normalised again.
    /// </summary>
    public static Tensor ImpulseGaussian(int size, double std)
    {
        int radius = (int)(4 * std + 0.5),
            centre = size / 2;
        double[] weights = [.. Enumerable.Range(-radius, 2 * radius + 1).Select(d => Math.Exp(-0.5 * d * d / (std * std)))];
        double sum = weights.Sum();
        double[] line = new double[size];
        for (int i = 0; i < size; i++)
        {
            for (int d = -radius; d <= radius; d++)
            {
                int j = ((i + d) % (2 * size) + 2 * size) % (2 * size);
                if ((j < size ? j : 2 * size - 1 - j) == centre)
                    line[i] += weights[d + radius] / sum;
            }
        }
        Tensor row = torch.tensor(line);
        return torch.outer(row, row).to(ScalarType.Float32);
    }

    public override Tensor Apply(Tensor x)
    {
        (long rows, long columns) = (Kernel.shape[0] / 2, Kernel.shape[1] / 2);
        Tensor padded = torch.nn.functional.pad(x, [columns, columns, rows, rows], PaddingModes.Reflect);
        return torch
            .nn.functional.conv2d(padded, Kernel.expand(Input.Channels, 1, -1, -1), groups: Input.Channels)
            .slice(2, 0, Input.Height, 1)
            .slice(3, 0, Input.Width, 1);
    }
}
