using Diffusion.Imaging;
using Diffusion.Native;
using Diffusion.Runtime;

namespace Diffusion.Training;

/// <summary>Reads photographs into memory.</summary>
public static class TrainingPhotos
{
    /// <summary>Decodes files in parallel; gray pictures become three equal channels, alpha is dropped.</summary>
    /// <param name="paths">The files, in the order that the draws refer to.</param>
    /// <exception cref="ImageException">A file is no picture.</exception>
    public static IReadOnlyList<TrainingPhoto> Read(IReadOnlyList<string> paths)
    {
        TrainingPhoto[] photos = new TrainingPhoto[paths.Count];
        bool held = FinalizerHold.IsHeldHere;
        try
        {
            Parallel.For(0, paths.Count, i =>
            {
                using FinalizerHold? hold = held ? null : new FinalizerHold();
                photos[i] = Read(paths[i]);
                // The threads' holds overlap: without this, finalizers would wait for the last photograph.
                FinalizerHold.Yield();
            });
        }
        catch (AggregateException e)
        {
            throw e.InnerExceptions[0];
        }
        return photos;
    }

    /// <summary>Decodes one file.</summary>
    public static TrainingPhoto Read(string path)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        using Picture picture = ImageFile.Read(path);
        Tensor bytes = (picture.Pixels.clamp(0, 1) * 255)
            .round()
            .to(ScalarType.Byte)
            .expand(1, 3, picture.Height, picture.Width)
            .permute(0, 2, 3, 1)
            .contiguous();
        return new TrainingPhoto(
            Path.GetFileName(path),
            bytes.bytes.ToArray(),
            picture.Width,
            picture.Height,
            picture.Format is ImageFormat.Jpeg or ImageFormat.Avif
        );
    }

    /// <summary>Parts a list into training and validation: every k-th of those that may be held out.</summary>
    /// <param name="paths">All files.</param>
    /// <param name="count">How many to hold out.</param>
    /// <param name="mayHold">Which files may be held out; null: all.</param>
    /// <exception cref="ArgumentException">Fewer files may be held out than are to be.</exception>
    public static (IReadOnlyList<string> Train, IReadOnlyList<string> Hold) HoldOut(
        IReadOnlyList<string> paths,
        int count,
        Func<string, bool>? mayHold = null
    )
    {
        string[] eligible = [.. paths.Where(path => mayHold?.Invoke(path) ?? true)];
        if (count >= paths.Count || count > eligible.Length)
            throw new ArgumentException(
                $"{count} of {paths.Count} photographs cannot be held out for validation. Give more photographs or hold out fewer."
            );
        HashSet<string> hold = [.. Enumerable.Range(0, count).Select(i => eligible[(2 * i + 1) * eligible.Length / (2 * count)])];
        return ([.. paths.Where(path => !hold.Contains(path))], [.. paths.Where(hold.Contains)]);
    }
}
