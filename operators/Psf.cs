using System.Globalization;
using System.Text.RegularExpressions;
using Diffusion.Inverse;
using Diffusion.Runtime;
using Diffusion.Settings;

namespace Diffusion.Operators;

/// <summary>
/// Spatially varying blur by interpolated point-spread functions (Nagy and O'Leary 1998): A = sum_i D_i K_i, where K_i convolves with the
/// function measured at grid point i and the diagonal D_i holds its
/// bilinear weight, which sum to 1 at every pixel.
/// </summary>
[Operator("psf", About = "Spatially varying blur: interpolated point-spread functions on a grid", Examples = "psf:file=psfs")]
public sealed partial record Psf : OperatorSpec
{
    /// <summary>A folder of kernels whose names end in their row and column on the grid, from 0: <c>psf_0_2.png</c>.</summary>
    [Setting]
    public string File { get; init; } = "";

    /// <summary>The picture beyond its edges.</summary>
    [Setting]
    public Boundary Boundary { get; init; } = Boundary.Symmetric;

    /// <summary>Whether each kernel is divided by its sum.</summary>
    [Setting]
    public bool Normalize { get; init; } = true;

    /// <inheritdoc/>
    protected override void Validate()
    {
        if (File.Length == 0)
            throw Error("The point-spread functions have no folder", "Write psf:file=FOLDER");
        if (Boundary == Boundary.Valid)
            throw Error("psf has no boundary \"valid\"", "Use symmetric, circular, reflect, replicate or zero");
    }

    /// <inheritdoc/>
    public override IReadOnlyList<string> Files() =>
        Directory.Exists(File) ? [.. Directory.GetFiles(File).Where(IsKernel).Order(StringComparer.Ordinal)] : [];

    /// <inheritdoc/>
    protected override LinearOperator Create(ImageShape input, Device device)
    {
        if (!Directory.Exists(File))
            throw Error($"There is no folder \"{File}\"", "It holds kernels named by row and column: psf_0_0.png, psf_0_1.png, ...");
        using DisposeScope scope = torch.NewDisposeScope();
        Dictionary<(int Row, int Column), Tensor> found = [];
        foreach (string file in Files())
        {
            Match match = Place().Match(Path.GetFileNameWithoutExtension(file));
            (int, int) place = (
                int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture),
                int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture)
            );
            Tensor kernel = KernelFile.Read(file, ToString());
            double sum = kernel.sum().item<double>();
            if (!double.IsFinite(sum) || (Normalize && sum <= 0))
                throw Error($"The kernel {Path.GetFileName(file)} has the sum {sum}", "Kernels that are normalised have a positive one");
            if (!found.TryAdd(place, Normalize ? kernel / sum : kernel))
                throw Error($"Two kernels stand at row {place.Item1}, column {place.Item2}");
        }
        (int rows, int columns) = found.Count == 0 ? (0, 0) : (found.Keys.Max(k => k.Row) + 1, found.Keys.Max(k => k.Column) + 1);
        if (found.Count == 0 || found.Count != rows * columns)
            throw Error(
                $"The folder holds {found.Count} kernels, which fill no grid of rows and columns",
                "Name them by row and column from 0: psf_0_0.png, psf_0_1.png, ..."
            );
        Tensor[] kernels = [.. Enumerable.Range(0, rows * columns).Select(i => found[(i / columns, i % columns)])];
        return new InterpolatedBlur(input, kernels, rows, columns, Boundary, device);
    }

    private static bool IsKernel(string file) => Place().IsMatch(Path.GetFileNameWithoutExtension(file));

    [GeneratedRegex("([0-9]{1,4})[^0-9]+([0-9]{1,4})$", RegexOptions.CultureInvariant)]
    private static partial Regex Place();
}
