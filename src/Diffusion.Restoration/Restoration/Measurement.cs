using System.Globalization;
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

    /// <summary>What 1 stands for in the file's own numbers, where no range was given.</summary>
    public double FullScale { get; init; } = 1;

    /// <summary>What 0 and 1 stand for in the file's own numbers; null: 0 and <see cref="FullScale"/>.</summary>
    public ValueRange? Range { get; init; }

    /// <summary>Whether its values are floats as they stand in a file, and nobody has said on what scale.</summary>
    public bool IsOfUnknownScale { get; init; }

    /// <summary>One unit of the file's own numbers on [0,1].</summary>
    public double Unit => Own?.Unit ?? 1 / (Range is { } range ? range.White - range.Black : FullScale);

    /// <summary>Its class, for class-conditional priors; null: <see cref="RestoreOptions.Label"/>.</summary>
    public long? Label { get; init; }

    /// <summary>What a user may want to know about the decoding, one sentence each, without a full stop.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>What the side file says; null when there is none.</summary>
    public SideFile? Side { get; init; }

    /// <summary>The folder that file names in the side file are relative to.</summary>
    public string Folder { get; init; } = "";

    /// <summary>What its file says besides the values.</summary>
    public PictureMetadata Metadata { get; init; } = PictureMetadata.None;

    /// <summary>The page of a stack that it is, counted from 1; null: it is the file.</summary>
    public int? Page { get; init; }

    /// <summary>Whether its channels are no colours, so that each is restored as a picture of its own.</summary>
    public bool IsOfChannels { get; private init; }

    /// <summary>The user's own array in the form of an operator, where it is one. Owned.</summary>
    public OwnMeasurement? Own { get; init; }

    /// <summary>y as a picture's shape; null when it is no picture.</summary>
    public ImageShape? Shape =>
        Own is null && Y.dim() == 4 && Y.shape[1] is (1 or 3) ? new((int)Y.shape[1], (int)Y.shape[2], (int)Y.shape[3]) : null;

    /// <summary>The clean picture's shape, where a side file or an own array tells it.</summary>
    public ImageShape? Clean => Own?.Picture ?? SideShape;

    private ImageShape? SideShape => Side is { InputSize: [var c, var h, var w] } ? new(c, h, w) : null;

    /// <summary>A measurement from a picture; both stay independent of each other.</summary>
    public static Measurement From(Picture picture)
    {
        Tensor y = picture.Pixels.clone();
        return new(y, picture.Name, picture.Alpha?.clone())
        {
            BitDepth = ResultBits(picture.BitDepth),
            FullScale = picture.FullScale,
            Range = picture.Range,
            Known = TakeMissing(y),
            Metadata = picture.Metadata,
            IsOfChannels = HoldsChannels(picture),
        };
    }

    /// <summary>Opens a picture or an array of numbers, and the side file beside it.</summary>
    /// <param name="path">The file, or <c>-</c> for a picture on standard input.</param>
    /// <param name="options">Range, depth, which part of the file; null for the defaults.</param>
    /// <exception cref="ImageException">It cannot be read.</exception>
    public static Measurement Open(string path, MeasurementOptions? options = null)
    {
        using ComputeScope scope = new();
        options ??= MeasurementOptions.Default;
        SideFile? side = path == ImageFile.Standard ? null : SideFile.Find(path);
        if (side is null && path != ImageFile.Standard && options.Operator is { TakesArrays: true } spec)
            return MeasurementArray.ReadOwn(path, options, spec);
        string folder = path == ImageFile.Standard ? "" : Path.GetDirectoryName(Path.GetFullPath(path)) ?? "";
        // Arrays that degrade wrote may have any shape, which their side files say.
        long[]? shape = null;
        Picture picture =
            path != ImageFile.Standard && MeasurementArray.Holds(path)
                ? MeasurementArray.Read(path, options, side, out shape)
                : ImageFile.Read(
                    path,
                    new ReadOptions
                    {
                        Hdu = options.Hdu,
                        Page = options.Page,
                        AnyChannels = true,
                    }
                );
        bool isPicture = shape is null && side is null;
        shape ??= picture.Pixels.shape;
        // Its tensors become the measurement's.
        Tensor y = picture.Pixels;
        Tensor? known = TakeMissing(y);
        List<string> notes = [.. picture.Notes];
        if (known is not null)
            notes.Add($"{known.numel() - known.sum().item<long>()} of {known.numel()} values are NaN or infinite and taken as missing");
        ValueRange? range = null;
        if (side is not null)
        {
            // What degrade measured is on [0,1].
            range = side.Range is { } said ? ValueRange.Parse(said) : null;
            if (options.Range is { } other && other != range)
                notes.Add("The measurement is on [0,1], as degrade writes it: --range changes nothing about it");
        }
        else if (options.Range is { } wanted)
        {
            range = MeasurementRange.Apply(y, wanted, picture.FullScale, path);
            if (wanted.IsAuto)
                notes.Add($"The values {range} are taken as black to white (--range {range})");
        }
        else if (MeasurementRange.NoteOn(y, picture.FullScale) is { } note)
            notes.Add(note);
        return new(y.reshape(shape), picture.Name, picture.Alpha)
        {
            Side = side,
            Folder = folder,
            BitDepth = options.Depth ?? ResultBits(picture.BitDepth),
            FullScale = picture.FullScale,
            Range = range,
            IsOfUnknownScale = side is null && range is null && picture.FullScale is 1 or > ushort.MaxValue,
            Notes = notes,
            Label = options.Label,
            Metadata = picture.Metadata,
            Page = options.Page,
            IsOfChannels = isPicture && HoldsChannels(picture),
            Known = known?.reshape(shape),
        };
    }

    /// <summary>The pages of a file that are wanted, counted from 1; null alone: the file as it is.</summary>
    /// <exception cref="ImageException">It has fewer, or cannot be read.</exception>
    public static IReadOnlyList<int?> PagesOf(string path, MeasurementOptions options)
    {
        if (options.Pages is not { } wanted)
            return [null];
        int pages =
            path == ImageFile.Standard ? 1
            : MeasurementArray.Holds(path) ? MeasurementArray.PagesOf(path, options)
            : ImageFile.Identify(path, new ReadOptions { Hdu = options.Hdu, AnyChannels = true }).Frames;
        return [.. wanted.Of(pages, path).Select(page => (int?)page)];
    }

    /// <summary>One channel as a measurement of its own; the caller disposes it.</summary>
    /// <param name="index">Counted from 0.</param>
    public Measurement Channel(int index) =>
        new(Y.narrow(1, index, 1).clone(), Name, Alpha?.clone())
        {
            Known = Known?.narrow(1, index, 1).clone(),
            BitDepth = BitDepth,
            FullScale = FullScale,
            Range = Range,
            IsOfUnknownScale = IsOfUnknownScale,
            Label = Label,
            Folder = Folder,
            Metadata = Metadata,
            Page = Page,
            Side = Side?.OfChannel(),
        };

    /// <summary>Refuses floats that are on another scale than [0,1] where nobody has said so.</summary>
    /// <param name="tolerance">How far noise may lead beyond.</param>
    /// <exception cref="ImageException">Such values.</exception>
    public void CheckScale(double tolerance = 0.5)
    {
        if (!IsOfUnknownScale || Shape is null)
            return;
        using DisposeScope scope = torch.NewDisposeScope();
        double low = Y.min().item<float>(),
            high = Y.max().item<float>();
        // Nobody uses all of 32 bits or more: what fills only their lowest part is on another scale.
        const double SmallestPart = 1.0 / 256;
        bool wide = FullScale > 1;
        if (low >= -tolerance && high <= 1 + tolerance && !(wide && high > 0 && high < SmallestPart))
            return;
        string format = wide ? "0" : "0.######";
        string Number(double value) => (value * FullScale).ToString(format, CultureInfo.InvariantCulture);
        string range = $"{Number(low)}..{Number(high)}";
        throw new ImageException(
            $"The values run from {range.Replace("..", " to ", StringComparison.Ordinal)}, but pictures are on "
                + (wide ? string.Create(CultureInfo.InvariantCulture, $"0 to {FullScale:0}, all of this type of integers") : "[0,1]"),
            Name,
            $"Say which values are black and white: --range BLACK..WHITE, for example --range {range} or --range auto; --range 0..1 takes "
                + "them as they are"
        );
    }

    /// <summary>The bits that the result has in a format.</summary>
    /// <remarks>Float results of what <c>degrade</c> made are pictures of 8 bits where the format has no floats.</remarks>
    public int DepthIn(ImageFormat format) =>
        BitDepth <= 16 || format is ImageFormat.Tiff or ImageFormat.Fits ? BitDepth
        : Side is null ? 16
        : 8;

    /// <inheritdoc/>
    public void Dispose()
    {
        Y.Dispose();
        Alpha?.Dispose();
        Known?.Dispose();
        Own?.Dispose();
    }

    private static bool HoldsChannels(Picture picture) =>
        picture.Channels is not (1 or 3) || (picture.Channels == 3 && picture.Metadata.HasPlainChannels);

    // Where values are missing, y becomes 0 and what is known is returned.
    private static Tensor? TakeMissing(Tensor y)
    {
        if (IsFinite(y))
            return null;
        Tensor known = y.isfinite();
        y.nan_to_num_(0, 0, 0);
        return known;
    }

    private static int ResultBits(int bits) =>
        bits switch
        {
            <= 8 => 8,
            <= 16 => 16,
            _ => 32,
        };

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
}
