using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Pipeline;

/// <summary>Makes measurements of files. A measurement's side file is its record: it is written last and holds the item's key.</summary>
/// <param name="files">The job's items; cancellation and failures are its.</param>
/// <param name="degrader">What makes the measurements; borrowed.</param>
public sealed class DegradeJob(FileJob files, Degrader degrader)
{
    /// <summary>How the inputs are read.</summary>
    public MeasurementOptions Reading { get; init; } = MeasurementOptions.Default;

    /// <summary>Clips to [0,1] and quantises, as a camera would.</summary>
    public bool Clip { get; init; }

    /// <summary>Replace existing outputs.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Told what a user may want to know about the decoding of an input: a sentence without a full stop.</summary>
    public Action<JobItem, string>? Noted { get; init; }

    /// <summary>Told of each item whose files are written.</summary>
    public Action<JobItem>? Done { get; init; }

    /// <summary>Opens standard output, for an item that goes there.</summary>
    public Func<Stream>? StandardOutput { get; init; }

    /// <summary>What decides a measurement.</summary>
    /// <param name="input">The clean picture's file, or <c>-</c>.</param>
    /// <param name="output">The measurement's file.</param>
    /// <param name="degrader">What makes it.</param>
    /// <param name="clip">Whether it is clipped and quantised.</param>
    /// <param name="hashes">Remembers the operator's files, which all items have in common; null: nobody needs them again.</param>
    /// <param name="reading">How the input is read; null: whole, as it is.</param>
    /// <exception cref="IOException">The input, or a file of the operator, cannot be read.</exception>
    public static JsonObject Settings(
        string input,
        string output,
        Degrader degrader,
        bool clip,
        FileHashes? hashes = null,
        MeasurementOptions? reading = null
    )
    {
        JsonObject settings = ItemFiles.Input(input);
        settings["operator"] = degrader.Spec.ToString();
        settings["resize_mask"] = degrader.ResizesMasks;
        settings["crop_to_fit"] = degrader.CropToFit;
        settings["noise"] = degrader.Noise.ToJson();
        if (degrader.NoiseMap is { } map)
            settings["noise_map"] = map.Sha256;
        settings["seed"] = degrader.Seed;
        settings["clip"] = clip;
        settings["format"] = Path.GetExtension(output).ToLowerInvariant();
        (reading ?? MeasurementOptions.Default).AddTo(settings);
        ItemFiles.AddFiles(settings, degrader.Spec, hashes ?? new());
        return settings;
    }

    /// <summary>Whether a measurement is there, complete, and made with the item's settings.</summary>
    /// <param name="item">The item.</param>
    /// <param name="old">Told of a side file of an older version, which does not say all: its measurement is made again.</param>
    public static bool IsComplete(JobItem item, Action? old = null)
    {
        if (!File.Exists(item.Output))
            return false;
        try
        {
            SideFile? side = SideFile.Find(item.Output);
            if (side is not null && (side.Key is null || side.Key == item.OlderKey))
                old?.Invoke();
            return side?.Key == item.Key;
        }
        catch (DiffusionException)
        {
            return false; // Damaged, or of another version: made again.
        }
    }

    /// <summary>Makes what is still to be made.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished is kept.</exception>
    public void Run() => files.Run(Make);

    private void Make(JobItem item)
    {
        using Measurement clean = Measurement.Open(item.Input, Reading with { Page = Reading.Pages?.First });
        foreach (string note in clean.Notes)
            Noted?.Invoke(item, note);
        using Picture picture = AsClean(clean, item.Input);
        bool stream = item.Output == OutputPlan.StandardOutput;
        using DegradedPicture degraded = degrader.Degrade(picture, (string?)item.Settings["input_sha256"], stream ? null : item.Key);
        if (stream)
            WriteToStream(item, degraded.Measurement);
        else
            MeasurementFile.Write(item.Output, degraded, Clip, Overwrite);
        Done?.Invoke(item);
    }

    // It is known everywhere, and on [0,1].
    private static Picture AsClean(Measurement clean, string where)
    {
        clean.CheckScale();
        if (clean.Shape is null || clean.IsOfChannels)
            throw new ImageException(
                clean.IsOfChannels ? $"The picture has {clean.Y.shape[1]} channels that are no colours" : "This is no picture",
                where,
                "Save the channels one by one, or three as RGB"
            );
        if (clean.Known is not null)
            throw new ImageException("The picture holds NaN or infinity", where, "Fill such pixels: a clean picture is known everywhere");
        return new Picture(clean.Y.clone(), clean.Alpha?.clone())
        {
            Name = clean.Name,
            BitDepth = clean.BitDepth,
            Range = clean.Range,
            Metadata = clean.Metadata,
        };
    }

    private void WriteToStream(JobItem item, Measurement measurement)
    {
        if (measurement.Shape is null)
            throw new ImageException(
                $"A measurement of {string.Join("x", measurement.Y.shape[1..])} values is no picture",
                item.Input,
                "Write it to a file with -o NAME.npz"
            );
        using Stream stdout = StandardOutput?.Invoke() ?? throw new JobException("There is no standard output here", item.Input);
        ImageFile.Write(stdout, measurement.Y, ImageFormat.Tiff, new WriteOptions { BitDepth = Clip ? 8 : 32 }, measurement.Alpha);
    }
}
