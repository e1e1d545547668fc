using System.Globalization;
using Diffusion.Imaging;
using Diffusion.Inverse;
using Diffusion.Models;
using Diffusion.Operators;
using Diffusion.Restoration;
using Diffusion.Runtime;
using Diffusion.Solvers;

namespace Diffusion.Benchmarks;

/// <summary>
/// What solvers, presets and single settings gain over the classical baseline on central crops of pictures: how the <c>few-step</c> presets
/// were tuned.
/// </summary>
internal static class PresetComparison
{
    private static readonly string[] Tasks = ["downsample:factor=4", "blur:sigma=2", "mask:random=0.8"];

    /// <summary>Prints one line per solver, number of evaluations and operator: mean PSNR, mean gain, smallest gain.</summary>
    /// <param name="folder">Pictures.</param>
    /// <param name="prior">The prior; borrowed.</param>
    /// <param name="options">
    /// <c>size=128 noise=0.02 solvers=cm4ir,rdmd,dpir preset=few-step steps=4,8,16 operators=spec;spec set:KEY=VALUE tolerance=1e-3
    /// error=0.02 out=FOLDER</c>.
    /// </param>
    public static void Print(string folder, IDenoiser prior, IReadOnlyDictionary<string, string> options)
    {
        using ComputeScope scope = new();
        int size = int.Parse(options.GetValueOrDefault("size", "128"), CultureInfo.InvariantCulture);
        double noise = double.Parse(options.GetValueOrDefault("noise", "0.02"), CultureInfo.InvariantCulture);
        string[] files =
        [
            .. Directory.GetFiles(folder).Where(file => ImageFormats.FromExtension(file) is not null).Order(StringComparer.Ordinal),
        ];
        Tensor truth = torch.cat([.. files.Select(file => Crop(file, size)).OfType<Tensor>()]);
        ImageKey[] keys = [.. Enumerable.Range(0, (int)truth.shape[0]).Select(i => new ImageKey((ulong)i))];
        Dictionary<string, string> set = options
            .Where(option => option.Key.StartsWith("set:", StringComparison.Ordinal))
            .ToDictionary(option => option.Key[4..], option => option.Value);
        foreach (string spec in options.TryGetValue("operators", out string? specs) ? specs.Split(';') : Tasks)
        {
            using DisposeScope task = torch.NewDisposeScope();
            using LinearOperator a = ShippedOperators.Catalog.Parse(spec).Bind(new ImageShape(3, size, size));
            StepPrecision? precision = options.TryGetValue("tolerance", out string? tolerance)
                ? new StepPrecision(
                    double.Parse(tolerance, CultureInfo.InvariantCulture),
                    double.Parse(options.GetValueOrDefault("error", "0"), CultureInfo.InvariantCulture)
                )
                : null;
            Tensor y = a.Restrict(
                a.Apply(truth) + noise * new PhiloxNoise(0, keys).Draw(NoiseRole.Measurement, a.Output.Batch(truth.shape[0]))
            );
            // The baseline of each picture alone: the damping is swept per picture.
            Tensor baseline = torch.cat([
                .. Enumerable.Range(0, keys.Length).Select(i => Baselines.Classical(a, y[i..(i + 1)], noise, truth[i..(i + 1)]).X),
            ]);
            Tensor floor = Psnr(baseline, truth);
            Console.WriteLine(
                string.Create(
                    System.Globalization.CultureInfo.InvariantCulture,
                    $"{spec}, noise {noise}, {keys.Length} pictures: {Baselines.Classical(a, y, noise, truth).Name} "
                        + $"{floor.mean().item<float>():F2}"
                )
            );
            foreach (string name in options.GetValueOrDefault("solvers", "cm4ir,rdmd,dpir").Split(','))
            {
                foreach (string steps in options.GetValueOrDefault("steps", "4,8,16").Split(','))
                {
                    PresetRequest request = PresetRequest.For(a, noise, prior.Info, int.Parse(steps, CultureInfo.InvariantCulture));
                    ISolver solver = SolverCatalog.BuiltIn.Create(name, options.GetValueOrDefault("preset"), request, set);
                    Tensor x = solver.Solve(
                        new InverseProblem(y, a, noise),
                        prior,
                        new SolverContext { Noise = new PhiloxNoise(0, keys), Precision = precision }
                    );
                    Tensor psnr = Psnr(x, truth),
                        gain = psnr - floor;
                    Console.WriteLine(
                        string.Create(
                            System.Globalization.CultureInfo.InvariantCulture,
                            $"  {name, -8} {solver.Evaluations, 3} evaluations: {psnr.mean().item<float>():F2} dB, "
                                + $"{gain.mean().item<float>():+0.00;-0.00} on average, {gain.min().item<float>():+0.00;-0.00} at least"
                        )
                    );
                    if (options.TryGetValue("out", out string? output))
                        Write(output, $"{spec.Split(':')[0]}-{name}-{steps}", truth, baseline, x);
                }
            }
        }
    }

    private static Tensor Psnr(Tensor x, Tensor truth) => -10 * (x.clamp(0, 1) - truth).square().mean([1L, 2L, 3L]).log10();

    /// <summary>The central square of a picture, [1,3,size,size]; null where it is too small.</summary>
    internal static Tensor? Crop(string file, int size)
    {
        using Picture picture = ImageFile.Read(file);
        Tensor pixels = picture.Pixels.dim() == 3 ? picture.Pixels.unsqueeze(0) : picture.Pixels;
        (long h, long w) = (pixels.shape[2], pixels.shape[3]);
        return h < size || w < size
            ? null
            : pixels.expand(1, 3, h, w).narrow(2, (h - size) / 2, size).narrow(3, (w - size) / 2, size).contiguous();
    }

    // Rows: truth, baseline, restored.
    private static void Write(string folder, string name, Tensor truth, Tensor baseline, Tensor x)
    {
        Directory.CreateDirectory(folder);
        Tensor sheet = torch.cat([.. new[] { truth, baseline, x }.Select(row => torch.cat([.. row.unbind(0)], 2))], 1);
        ImageFile.Write(Path.Combine(folder, name + ".png"), sheet.clamp(0, 1).unsqueeze(0));
    }
}
