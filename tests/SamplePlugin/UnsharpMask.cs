using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace SamplePlugin;

/// <summary>
/// A restoration method without prior and operator: what a blur of 5 x 5 pixels took away is added again. It looks only at a pixel's
/// surroundings, so pictures of any size are restored area by area.
/// </summary>
[RestorationMethod("unsharp-mask", "Adds what a small blur takes away")]
public sealed record UnsharpMask : IRestorationMethod
{
    private const int Radius = 2;

    /// <summary>How much of it is added.</summary>
    [Setting(Min = 0, Max = 10)]
    public double Amount { get; init; } = 1;

    /// <inheritdoc/>
    public void Open(ComputePolicy policy) { }

    /// <inheritdoc/>
    public string KindOf(Measurement measurement) => string.Join("x", measurement.Y.shape);

    /// <inheritdoc/>
    public IRestoration Begin(IReadOnlyList<Measurement> batch) => new Masking(Amount, batch);

    /// <inheritdoc/>
    public void Dispose() { }

    private sealed class Masking(double amount, IReadOnlyList<Measurement> batch) : IRestoration
    {
        public ImageShape Output =>
            batch[0].Shape ?? throw new ImageException("The measurement is no picture", batch[0].Name, "Give pictures");

        public AreaGrid Areas => new(Output, 1, Radius);

        public long Bytes(int height, int width, int batch, int? tile) => 8L * batch * Output.Channels * height * width * sizeof(float);

        public IReadOnlyList<MethodChoice> Choose(PictureArea? area) => [.. batch.Select(_ => new MethodChoice("unsharp-mask", 1))];

        public Tensor Run(PictureArea? area, MethodContext context)
        {
            using DisposeScope scope = torch.NewDisposeScope();
            context.Cancellation.ThrowIfCancellationRequested();
            Tensor y = torch.cat([.. batch.Select(measurement => measurement.Y)]);
            if (area is { } part)
                y = y.narrow(2, part.Top, part.Height).narrow(3, part.Left, part.Width);
            Tensor blurred = torch.nn.functional.avg_pool2d(y, 2L * Radius + 1, 1L, Radius, count_include_pad: false);
            context.Progress?.Invoke(new(1, 1, 1, 0));
            return (y + amount * (y - blurred)).MoveToOuterDisposeScope();
        }

        public void Dispose() { }
    }
}
