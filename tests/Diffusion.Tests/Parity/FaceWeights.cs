namespace Diffusion.Tests.Parity;

/// <summary>Folders with published weights: beside the cases, else the ones that ship.</summary>
internal static class FaceWeights
{
    /// <summary>The folder that holds a file: <c>config.weights_folder</c> under a parity root, or <c>checkpoints/faces</c>.</summary>
    public static string Folder(ConfigNode config, string file)
    {
        string shipped = Path.Combine(TestPaths.Repository, "checkpoints", "faces");
        string named = config.String("weights_folder");
        return TestPaths
            .ParityRoots.Select(root => Path.Combine(root, named))
            .Prepend(shipped)
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, file)))
            ?? throw new FileNotFoundException($"Neither {shipped} nor {named} under a parity root holds {file}.");
    }

    /// <summary>uint8 [h,w,3] as [1,3,h,w] on [0,1].</summary>
    public static Tensor Picture(Tensor image) => image.permute(2, 0, 1).unsqueeze(0).to(ScalarType.Float32) / 255;

    /// <summary>A table of numbers.</summary>
    public static Tensor Table(IReadOnlyList<double[]> rows, int columns) =>
        torch.tensor(rows.SelectMany(row => row).ToArray(), ScalarType.Float64).reshape(rows.Count, columns);
}
