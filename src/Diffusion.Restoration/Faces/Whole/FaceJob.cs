using System.Text.Json.Nodes;
using Diffusion.Imaging;
using Diffusion.Pipeline;

namespace Diffusion.Faces;

/// <summary>Restores the faces of photographs in files. A photograph's record is written last.</summary>
/// <param name="files">The job's items; cancellation and failures are its.</param>
/// <param name="restorer">What restores; borrowed.</param>
public sealed class FaceJob(FileJob files, FaceRestorer restorer)
{
    /// <summary>Replace existing outputs.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Write a sheet of the faces beside each output.</summary>
    public bool Sheets { get; init; }

    /// <summary>The original of an input, to measure identity against; null where there is none.</summary>
    public Func<string, string?> ReferenceFor { get; init; } = static _ => null;

    /// <summary>Runs the restoration of an item, which reports the finished part, 0..1.</summary>
    public Action<JobItem, Action<Action<double>>> Watch { get; init; } = static (_, restore) => restore(static _ => { });

    /// <summary>Told what a user may want to know about an input: a sentence without a full stop.</summary>
    public Action<JobItem, string>? Noted { get; init; }

    /// <summary>Told of each item whose files are written; the photograph is borrowed.</summary>
    public Action<JobItem, RestoredPhoto>? Done { get; init; }

    /// <summary>The sheet beside an output.</summary>
    public static string SheetFor(string output) => Path.ChangeExtension(output, null) + "_sheet.png";

    /// <summary>Restores what is still to be restored.</summary>
    /// <exception cref="OperationCanceledException">Cancelled; what is finished is kept.</exception>
    public void Run() => files.Run(Make);

    private void Make(JobItem item)
    {
        Picture photo = ImageFile.Read(item.Input);
        using RestoredPhoto restored = Restore(item, photo);
        WriteOptions options = new() { Overwrite = Overwrite };
        ImageFile.Write(item.Output, restored.Picture, options);
        if (item.Output != OutputPlan.StandardOutput)
        {
            if (Sheets)
                restored.WriteSheet(SheetFor(item.Output));
            JobRecord.Write(item, new JsonObject { ["faces"] = new JsonArray([.. restored.Faces.Select(face => face.ToJson())]) });
        }
        Done?.Invoke(item, restored);
    }

    private RestoredPhoto Restore(JobItem item, Picture photo)
    {
        try
        {
            foreach (string note in photo.Notes)
                Noted?.Invoke(item, note);
            using Picture? clean = ReferenceFor(item.Input) is { } reference ? ImageFile.Read(reference) : null;
            RestoredPhoto? restored = null;
            Watch(item, report => restored = restorer.Restore(photo, clean, report, files.Cancellation));
            return restored!;
        }
        catch
        {
            photo.Dispose();
            throw;
        }
    }
}
