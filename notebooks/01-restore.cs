#:project ../src/Diffusion.Interactive

// Written from sources/01-restore.md by: diffusion jupyter write notebooks/sources/*.md -o notebooks

// # Restore a photograph
//
// A photograph was made four times smaller, and noise came on top. A diffusion model knows what photographs look like; the *operator* says
// what happened to this one. Nothing is trained for the task.

Picture photo = ImageFile.Read(Path.Combine(Demo.Folder, "cat.png"));
Notebook.Show(photo, "the original, which nobody has in practice");

// ## Make a measurement
//
// `downsample:factor=4` is the operator, 0.02 the standard deviation of the noise on a scale from 0 (black) to 1 (white). In your own
// case the measurement is a file, and this step falls away.

const string Operator = "downsample:factor=4";
const double Noise = 0.02;
Measurement small = new Degrader(ShippedOperators.Catalog.Parse(Operator), Noise).Degrade(photo).Measurement;
Notebook.Show(small.Y, $"what was measured, {small.Shape!.Value.Width}x{small.Shape.Value.Height}");

// ## Restore it
//
// Three lines: say what happened, give the measurement, take the picture. Pull the divider to compare with bicubic enlargement.

Restorer restorer = new(new RestoreOptions { Operator = Operator, Noise = Noise });
RestoredPicture restored = restorer.Restore(small);
Notebook.Compare(small.Y, restored, ("bicubic", $"{restored.Solver}, {restored.Evaluations} evaluations"));

// How good is it? With the original at hand it can be measured.

LinearOperator a = ShippedOperators.Catalog.Parse(Operator).Bind(new ImageShape(3, photo.Height, photo.Width));
Baseline baseline = Baselines.Classical(a, small.Y, Noise);
Notebook.ShowTable(
    from result in new[] { baseline, new Baseline(restored.Solver, restored.Picture.Pixels) }
    select new
    {
        Method = result.Name,
        PSNR = Psnr.Compute(result.X, photo.Pixels),
        SSIM = Ssim.Compute(result.X, photo.Pixels),
    }
);

// ## More evaluations
//
// The number of network evaluations is what a restoration costs. The gain of each further one becomes smaller.

int[] steps = [1, 2, 4, 8, 16];
double[] psnr = new double[steps.Length];
using (LiveProgress progress = Notebook.Progress("five restorations"))
    for (int i = 0; i < steps.Length; i++)
    {
        RestoreOptions options = new() { Operator = Operator, Noise = Noise, Steps = steps[i] };
        using Restorer some = new(options);
        using RestoredPicture result = some.Restore(
            small,
            step => progress.Report((i + step.Fraction) / steps.Length),
            Notebook.Cancellation
        );
        psnr[i] = Psnr.Compute(result.Picture.Pixels, photo.Pixels);
    }
double[] evaluations = [.. steps.Select(step => (double)step)];
Notebook.Show(Curves.Lines("evaluations", "PSNR in dB", ("restored", evaluations, psnr)));

// The same on the command line: `diffusion restore small.png -A downsample:factor=4 --noise 0.02 -o large.png`.
