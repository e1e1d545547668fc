namespace Diffusion.Faces;

/// <summary>What is done with the faces of a photograph.</summary>
public sealed record FaceRestorerOptions
{
    /// <summary>Whether pictures are aligned faces already: nothing is looked for.</summary>
    public bool Aligned { get; init; }

    /// <summary>Whether only the face nearest to the middle is restored.</summary>
    public bool OnlyCenter { get; init; }

    /// <summary>What is done to the colours of restored faces.</summary>
    public FaceColorFix ColorFix { get; init; }

    /// <summary>By what the photograph is enlarged; at least 1.</summary>
    public int Scale { get; init; } = 1;

    /// <summary>Faces that are restored together; at least 1.</summary>
    public int Batch { get; init; } = 1;
}
