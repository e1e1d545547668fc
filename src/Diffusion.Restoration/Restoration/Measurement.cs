using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Runtime;

namespace Diffusion.Restoration;

/// <summary>A measurement y on [0,1], with what is known about it.</summary>
public sealed class Measurement : IDisposable
{
    /// <summary>A measurement from a tensor, which it takes over and detaches from dispose scopes.</summary>
    /// <param name="y">[1, ...] float32: [1,C,H,W] where it is a picture.</param>
    /// <param name="name">Names its random draws.</param>
    /// <param name="alpha">[1,1,h,w] coverage of any size, carried to the result; or null.</param>
    /// <exception cref="ArgumentException">The tensor holds no batch of one.</exception>
    public Measurement(Tensor y, string name, Tensor? alpha = null)
    {
        if (y.dim() < 2 || y.shape[0] != 1)
            throw new ArgumentException($"A measurement is [1, ...], not [{string.Join(",", y.shape)}].", nameof(y));
        Y = y.DetachFromDisposeScope();
        Alpha = alpha?.DetachFromDisposeScope();
        Name = name;
    }

    /// <summary>[1, ...] float32. Owned.</summary>
    public Tensor Y { get; }

    /// <summary>[1,1,h,w] or null. Owned.</summary>
    public Tensor? Alpha { get; }

    /// <summary>
    /// Of the shape of <see cref="Y"/>, true = measured: NaN and infinity mark missing values, for which Y holds 0; null where all are
    /// measured. Owned.
    /// </summary>
    public Tensor? Known
    {
        get;
        private init => field = value?.DetachFromDisposeScope();
    }

    /// <summary>Names its random draws: the same name, seed and settings give the same result.</summary>
    public string Name { get; }

    /// <summary>Bits per sample that the result is written with.</summary>
    public int BitDepth { get; init; } = 8;

    /// <summary>Its class, for class-conditional priors; null: <see cref="RestoreOptions.Label"/>.</summary>
    public long? Label { get; init; }

    /// <summary>What a user may want to know about the decoding, one sentence each, without a full stop.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What the side file says; null when there is none.</summary>
    public SideFile? Side { get; init; }

    /// <summary>The folder that file names in the side file are relative to.</summary>
    public string Folder { get; init; } = "";

    /// <summary>y as a picture's shape; null when it is no picture.</summary>
    public ImageShape? Shape => Y.dim() == 4 && Y.shape[1] is (1 or 3) ? new((int)Y.shape[1], (int)Y.shape[2], (int)Y.shape[3]) : null;

    /// <summary>The clean picture's shape, where a side file tells it.</summary>
    public ImageShape? Clean => Side is { InputSize: [var c, var h, var w] } ? new(c, h, w) : null;

    /// <summary>A measurement from a picture; both stay independent of each other.</summary>
    public static Measurement From(Picture picture)
    {
        Tensor y = picture.Pixels.clone();
        return new(y, picture.Name, picture.Alpha?.clone()) { BitDepth = Math.Min(picture.BitDepth, 16), Known = TakeMissing(y) };
    }

    /// <summary>Opens a picture or an <c>.npz</c> file, and the side file beside it.</summary>
    /// <param name="path">The file, or <c>-</c> for a picture on standard input.</param>
    /// <param name="label">Its class, for class-conditional priors.</param>
    /// <exception cref="ImageException">It cannot be read.</exception>
    public static Measurement Open(string path, long? label = null)
    {
        using ComputeScope scope = new();
        SideFile? side = path == ImageFile.Standard ? null : SideFile.Find(path);
        string folder = path == ImageFile.Standard ? "" : Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        if (Path.GetExtension(path).Equals(".npz", StringComparison.OrdinalIgnoreCase))
        {
            using FileStream stream = OpenFile(path);
            Tensor y = NpzFile.Read(stream, "y", path);
            Tensor? known = TakeMissing(y);
            return new(y.unsqueeze(0), Path.GetFileNameWithoutExtension(path))
            {
                Side = side,
                Folder = folder,
                Label = label,
                Known = known?.unsqueeze(0),
                Notes = NotesOn(known),
            };
        }
        Picture picture = ImageFile.Read(path);
        Tensor? measured = TakeMissing(picture.Pixels);
        // Its tensors become the measurement's. A float measurement is not a float picture: what comes out is a picture of 16 bits at most.
        return new(picture.Pixels, picture.Name, picture.Alpha)
        {
            Side = side,
            Folder = folder,
            BitDepth = picture.BitDepth is > 8 and <= 16 ? 16 : 8,
            Notes = [.. picture.Notes, .. NotesOn(measured)],
            Label = label,
            Known = measured,
        };
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Y.Dispose();
        Alpha?.Dispose();
        Known?.Dispose();
    }

    // Where values are missing, y becomes 0 and what is known is returned.
    private static Tensor? TakeMissing(Tensor y)
    {
        if (IsFinite(y))
            return null;
        Tensor known = y.isfinite();
        y.nan_to_num_(0, 0, 0);
        return known;
    }

    private static IReadOnlyList<string> NotesOn(Tensor? known) =>
        known is null
            ? []
            : [$"{known.numel() - known.sum().item<long>()} of {known.numel()} values are NaN or infinite and taken as missing"];

    // In parts: the flags need no memory of the picture's size.
    private static bool IsFinite(Tensor y)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        return y.reshape(-1)
            .split(1 << 20)
            .All(part =>
            {
                using DisposeScope inner = torch.NewDisposeScope();
                return part.isfinite().all().item<bool>();
            });
    }

    private static FileStream OpenFile(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageException(
                e is FileNotFoundException ? "There is no such file" : "The file cannot be read",
                path,
                "Check the path and its permissions",
                e
            );
        }
    }
}
