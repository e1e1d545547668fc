using Diffusion.Imaging;
using Diffusion.Runtime;

namespace Diffusion.Faces;

/// <summary>A photograph whose faces are restored.</summary>
/// <param name="Picture">The photograph. Owned.</param>
/// <param name="Faces">Its faces, best first. Owned.</param>
public sealed record RestoredPhoto(Picture Picture, IReadOnlyList<RestoredFace> Faces) : IDisposable
{
    private const int FacesOnSheet = 12;

    /// <summary>Writes the faces at their own size, before and after.</summary>
    /// <param name="path">The picture file.</param>
    /// <exception cref="ImageException">The file cannot be written.</exception>
    public void WriteSheet(string path)
    {
        IEnumerable<SheetPanel> panels = Faces
            .Take(FacesOnSheet)
            .SelectMany(face =>
                (SheetPanel[])
                    [new("found", face.Before), new(FormattableString.Invariant($"{face.Method}, {face.Identity:0.00}"), face.After)]
            );
        Sheet.Write(path, [.. panels], new SheetOptions { Columns = Faces.Count > 1 ? 4 : 2 });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Picture.Dispose();
        foreach (RestoredFace face in Faces)
            face.Dispose();
    }
}
