using Diffusion.Imaging;
using Diffusion.Pipeline;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>Restores the faces of whole photographs: found, aligned, restored one by one, laid back with a soft edge.</summary>
/// <remarks>
/// Any method that restores an aligned face will do. Pixels that no face's feathered mask reaches stay as they were, to the bit. Besides
/// the photograph only its faces are held. One photograph at a time per instance.
/// </remarks>
public sealed class FaceRestorer : IDisposable
{
    private readonly RestorationRunner _runner;
    private readonly RestorationRunner? _background;
    private readonly FaceRestorerOptions _options;
    private readonly FaceFinder _finder = FaceFinder.Shipped();
    private readonly IdentityDistance _identity = IdentityDistance.Shipped();

    /// <summary>A restorer with the finder that ships.</summary>
    /// <param name="runner">Restores aligned faces of <see cref="FaceTemplate.Size"/> pixels; owned from now on.</param>
    /// <param name="options">What is done.</param>
    /// <param name="background">Enlarges whole photographs by the options' scale; null: Lanczos. Owned from now on.</param>
    /// <exception cref="CheckpointException">The face networks are not installed.</exception>
    public FaceRestorer(RestorationRunner runner, FaceRestorerOptions options, RestorationRunner? background = null) =>
        (_runner, _options, _background) = (runner, options, background);

    /// <summary>Restores the faces of a photograph.</summary>
    /// <param name="photo">Becomes the result's, and is changed.</param>
    /// <param name="clean">The original of the same size, to measure identity against; borrowed.</param>
    /// <param name="progress">Told the finished part, 0..1.</param>
    /// <param name="cancellation">Checked before each evaluation of a network.</param>
    /// <returns>The caller disposes it.</returns>
    /// <exception cref="ImageException">There is no face, or the original has another size.</exception>
    /// <exception cref="DiffusionException">The method cannot restore it.</exception>
    public RestoredPhoto Restore(
        Picture photo,
        Picture? clean = null,
        Action<double>? progress = null,
        CancellationToken cancellation = default
    )
    {
        if (clean is not null && (clean.Width, clean.Height) != (photo.Width, photo.Height))
            throw new ImageException(
                $"The original has {clean.Width}x{clean.Height} pixels, the photograph {photo.Width}x{photo.Height}",
                photo.Name,
                "Give the original of the same size"
            );
        using ComputeScope scope = new();
        (Face? Found, FaceAlignment? Alignment)[] places = _options.Aligned ? [Whole(photo)] : Find(photo);
        // All faces are cut out before the first is laid back: neighbours may overlap.
        Tensor[] crops = [.. places.Select(place => Crop(photo, place.Alignment))];
        List<RestoredFace> faces = [];
        foreach ((int, Tensor)[] some in crops.Index().Chunk(_options.Batch))
        {
            void Report(RestoreProgress step) => progress?.Invoke((faces.Count + some.Length * step.Fraction) / crops.Length);
            IReadOnlyList<RestoredPicture> restored = Run(photo.Name, some, Report, cancellation);
            foreach (((int i, Tensor before), RestoredPicture one) in some.Zip(restored))
            {
                using RestoredPicture kept = one;
                Tensor after = Finish(one.Picture.Pixels, before);
                faces.Add(
                    Measured(new(places[i].Found, before, after, one.Solver, one.Seconds) { Identity = 0 }, clean, places[i].Alignment)
                );
            }
        }
        Picture result = _options.Aligned ? Like(photo, faces[0].After.clone()) : Enlarged(photo, cancellation);
        if (!_options.Aligned)
            foreach (((_, FaceAlignment? alignment), RestoredFace face) in places.Zip(faces).Reverse())
                alignment!.PasteInto(result.Pixels, face.After, _options.Scale);
        foreach (RestoredFace face in faces)
        {
            face.Before.DetachFromDisposeScope();
            face.After.DetachFromDisposeScope();
        }
        return new RestoredPhoto(result, faces);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _runner.Dispose();
        _background?.Dispose();
        _finder.Dispose();
        _identity.Dispose();
    }

    private static (Face?, FaceAlignment?) Whole(Picture photo) =>
        photo.Width == photo.Height
            ? (null, null)
            : throw new ImageException(
                $"An aligned face is square, and this picture has {photo.Width}x{photo.Height} pixels",
                photo.Name,
                "Leave --aligned out, so that faces are looked for"
            );

    private (Face?, FaceAlignment?)[] Find(Picture photo)
    {
        IReadOnlyList<Face> found = _finder.Find(photo.Pixels);
        if (found.Count == 0)
            throw new ImageException("No face was found", photo.Name, "If the picture is an aligned face already, pass --aligned");
        if (_options.OnlyCenter)
            found = [found.MinBy(face => FromMiddle(face, photo))!];
        return [.. found.Select(face => ((Face?)face, (FaceAlignment?)Align(face)))];
    }

    // Where the landmarks are in doubt, the detector's coarse points are the safer ones: they lie in the face.
    private static FaceAlignment Align(Face face)
    {
        if (face.HasLandmarks)
            return FaceAlignment.By(face.Landmarks.Five);
        IReadOnlyList<(double X, double Y)> five = FaceTemplate.Of();
        (double, double) mouth = ((five[3].X + five[4].X) / 2, (five[3].Y + five[4].Y) / 2);
        return new(SimilarityFit.LeastSquares([.. face.Detection.Points.Take(4)], [five[0], five[1], five[2], mouth]), FaceTemplate.Size);
    }

    private static double FromMiddle(Face face, Picture photo)
    {
        (double x, double y) = face.Detection.Center;
        return (x - photo.Width / 2.0) * (x - photo.Width / 2.0) + (y - photo.Height / 2.0) * (y - photo.Height / 2.0);
    }

    private static Tensor Crop(Picture photo, FaceAlignment? alignment)
    {
        Tensor crop = alignment?.Crop(photo.Pixels) ?? ToSize(photo.Pixels);
        return crop.nan_to_num(0, 1, 0).clamp(0, 1);
    }

    private static Tensor ToSize(Tensor face) =>
        face.shape[2] == FaceTemplate.Size && face.shape[3] == FaceTemplate.Size
            ? face.clone()
            : Resize.ToSize(face, FaceTemplate.Size, FaceTemplate.Size);

    // A face's draws are named by its place among the photograph's faces, whatever is restored beside it.
    private IReadOnlyList<RestoredPicture> Run(
        string name,
        (int Index, Tensor Crop)[] some,
        Action<RestoreProgress> progress,
        CancellationToken cancellation
    )
    {
        Measurement[] batch = [.. some.Select(face => new Measurement(face.Crop.clone(), $"{name}+{face.Index}"))];
        try
        {
            return _runner.Restore(batch, progress, cancellation);
        }
        finally
        {
            foreach (Measurement measurement in batch)
                measurement.Dispose();
        }
    }

    private Tensor Finish(Tensor restored, Tensor before)
    {
        Tensor face = ToSize(restored);
        if (face.shape[1] != before.shape[1])
            face = before.shape[1] == 1 ? Color.ToLuma(face) : Color.ToRgb(face).clone();
        Tensor fixedColors = _options.ColorFix switch
        {
            FaceColorFix.Wavelet => ColorTransfer.Wavelet(face, before),
            FaceColorFix.Adain => ColorTransfer.Adain(face, before),
            _ => face,
        };
        return fixedColors.clamp(0, 1);
    }

    private RestoredFace Measured(RestoredFace face, Picture? clean, FaceAlignment? alignment)
    {
        IReadOnlyList<float> before = _identity.Describe(face.Before),
            after = _identity.Describe(face.After);
        RestoredFace measured = face with { Identity = FaceDescriptor.Distance(before, after) };
        if (clean is null)
            return measured;
        IReadOnlyList<float> original = _identity.Describe(Crop(clean, alignment));
        return measured with
        {
            IdentityBefore = FaceDescriptor.Distance(before, original),
            IdentityAfter = FaceDescriptor.Distance(after, original),
        };
    }

    private Picture Enlarged(Picture photo, CancellationToken cancellation)
    {
        if (_options.Scale == 1)
            return photo;
        (int height, int width) = (photo.Height * _options.Scale, photo.Width * _options.Scale);
        if (_background is null)
            return Like(photo, Resize.ToSize(photo.Pixels, height, width, ResampleKernel.Lanczos).clamp_(0, 1));
        using Measurement measurement = Measurement.From(photo);
        using RestoredPicture restored = _background.Restore([measurement], null, cancellation)[0];
        return Like(photo, restored.Picture.Pixels.clone());
    }

    private static Picture Like(Picture photo, Tensor pixels)
    {
        using Picture source = photo;
        Tensor? alpha = photo.Alpha is null ? null : AlphaChannel.Resize(photo.Alpha, (int)pixels.shape[2], (int)pixels.shape[3]);
        return new Picture(pixels, alpha)
        {
            Name = photo.Name,
            BitDepth = photo.BitDepth,
            FullScale = photo.FullScale,
            Range = photo.Range,
            Format = photo.Format,
            Notes = photo.Notes,
            Metadata = photo.Metadata,
        };
    }
}
