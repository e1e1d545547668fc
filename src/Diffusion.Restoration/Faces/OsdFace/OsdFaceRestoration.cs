using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>A batch of faces in the hands of OSDFace.</summary>
internal sealed class OsdFaceRestoration(OsdFace method, IReadOnlyList<Measurement> batch) : IRestoration
{
    /// <summary>Square pictures take the side of the method's faces, others keep their size.</summary>
    public ImageShape Output =>
        ShapeOf(batch[0]) is var shape && shape.Height == shape.Width
            ? new ImageShape(3, method.Side, method.Side)
            : shape with
            {
                Channels = 3,
            };

    /// <summary>The autoencoder computes larger pictures in tiles.</summary>
    public int? TilesBeyond => method.Side;

    /// <inheritdoc/>
    public long Bytes(int height, int width, int batch, int? tile) => method.Memory.Bytes(height, width, batch, tile);

    /// <inheritdoc/>
    public IReadOnlyList<MethodChoice> Choose(PictureArea? area) => [.. batch.Select(_ => new MethodChoice("osdface", 1))];

    /// <inheritdoc/>
    public Tensor Run(PictureArea? area, MethodContext context)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        context.Cancellation.ThrowIfCancellationRequested();
        Tensor picture = Color.ToRgb(torch.cat([.. batch.Select(measurement => measurement.Y)])).to(method.Policy.Device);
        Tensor lq = OsdFacePipeline.Input(picture, method.Side);
        (long height, long width) = (lq.shape[2], lq.shape[3]);
        long bottom = Missing(height),
            right = Missing(width);
        if (bottom + right > 0)
            lq = torch.nn.functional.pad(lq, [0, right, 0, bottom], PaddingModes.Replicate);
        method.Networks.Frugal = method.Memory.Frugal((int)lq.shape[2], (int)lq.shape[3], batch.Count, context.Tile);
        int[] all = [.. Enumerable.Range(0, batch.Count)];
        Tensor restored = method.Pipeline(context.Tile).Restore(lq, context.Noise(all), context.Trace);
        context.Progress?.Invoke(new(1, 1, 1, 0));
        return restored.narrow(2, 0, height).narrow(3, 0, width).MoveToOuterDisposeScope();

        long Missing(long size) => (method.SizeMultiple - size % method.SizeMultiple) % method.SizeMultiple;
    }

    /// <inheritdoc/>
    public void Dispose() { }

    /// <summary>The shape of a measurement that is a picture.</summary>
    /// <exception cref="ImageException">It is none.</exception>
    internal static ImageShape ShapeOf(Measurement measurement) =>
        measurement.Shape ?? throw new ImageException("The measurement is no picture", measurement.Name, "Give pictures of aligned faces");
}
