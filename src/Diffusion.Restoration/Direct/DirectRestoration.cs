using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Direct;

/// <summary>A batch of pictures in the hands of a network that was trained to restore.</summary>
internal sealed class DirectRestoration(DirectMethod method, IReadOnlyList<Measurement> batch) : IRestoration
{
    // Runtime, libtorch, codecs.
    private const long Base = 235L << 20;

    // Of networks of up to five levels.
    private const int TileMultiple = 16,
        Reach = 64;

    // Float pictures beside the network: measurement, input, result, blended tiles, and their temporaries.
    private const int Pictures = 10;

    /// <inheritdoc/>
    public ImageShape Output => ShapeOf(batch[0]);

    /// <inheritdoc/>
    public AreaGrid? Areas => new(Output, TileMultiple, Reach);

    /// <inheritdoc/>
    public long Bytes(int height, int width, int batch, int? tile)
    {
        double pixels = (double)height * width,
            atOnce = tile is { } side ? Math.Min(pixels, (double)side * side) : pixels;
        return Base
            + method.Memory.WeightBytes
            + (long)(batch * (atOnce * method.Memory.BytesPerPixel + pixels * method.Channels * sizeof(float) * Pictures));
    }

    /// <inheritdoc/>
    public IReadOnlyList<MethodChoice> Choose(PictureArea? area) => [.. batch.Select(_ => new MethodChoice(method.Kind, 1))];

    /// <inheritdoc/>
    public Tensor Run(PictureArea? area, MethodContext context)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor measured = torch.cat([.. batch.Select(measurement => Part(measurement.Y, area))]).to(method.Policy.Device);
        Tensor seen = method.Channels == 3 ? Color.ToRgb(measured) : measured.mean([1L], keepdim: true);
        Tensor restored = PictureTiles.Compute(seen, context.Tile, TileMultiple, part =>
        {
            context.Cancellation.ThrowIfCancellationRequested();
            return FiniteOutput.Of(method.Network, "The network", module => method.Network.Restore(part, module));
        });
        context.Progress?.Invoke(new(1, 1, 1, 0));
        context.Report?.Invoke([.. Enumerable.Range(0, batch.Count)], new RunReport(1, new()));
        long channels = measured.shape[1];
        Tensor shaped =
            channels == restored.shape[1] ? restored
            : channels == 1 ? restored.mean([1L], keepdim: true)
            : restored.expand(-1, channels, -1, -1);
        return shaped.contiguous().MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void Dispose() { }

    /// <summary>The shape of a measurement that is a picture.</summary>
    /// <exception cref="ImageException">It is none.</exception>
    internal static ImageShape ShapeOf(Measurement measurement) =>
        measurement.Shape ?? throw new ImageException("The measurement is no picture", measurement.Name, "Give pictures");

    private static Tensor Part(Tensor y, PictureArea? area) =>
        area is { } part ? y.narrow(2, part.Top, part.Height).narrow(3, part.Left, part.Width) : y;
}
