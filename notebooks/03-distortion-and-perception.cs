#:project ../src/Diffusion.Interactive

// Written from sources/03-distortion-and-perception.md by: diffusion jupyter write notebooks/sources/*.md -o notebooks

// # Solvers, and the trade between distortion and perception
//
// A restoration may be close to the original on average (small distortion, a high PSNR) or look like a photograph (high perceptual
// quality); no method has both at once beyond a bound (Blau and Michaeli, CVPR 2018). Solvers stand at different points of that trade.

Picture photo = ImageFile.Read(Path.Combine(Demo.Folder, "cat.png"));
const string Operator = "mask:random=0.8,seed=1";
const double Noise = 0.01;
Measurement holes = new Degrader(ShippedOperators.Catalog.Parse(Operator), Noise).Degrade(photo).Measurement;
Notebook.ShowRow(("four of five pixels are missing", holes.Y), ("the original", photo));

// Each solver gets 16 evaluations of the same prior. PSNR says how near the result is to the original, NIQE how natural it looks without
// one (less is better).

string[] solvers = ["mirror", "dpir", "diffpir", "ddrm", "ddnm", "reddiff"];
List<(string Solver, double Psnr, double Niqe, Tensor Picture)> results = [];
using (LiveProgress progress = Notebook.Progress($"{solvers.Length} solvers"))
    foreach (string solver in solvers)
    {
        RestoreOptions options = new() { Operator = Operator, Noise = Noise, Solver = solver, Steps = 16 };
        using Restorer restorer = new(options);
        using RestoredPicture restored = restorer.Restore(holes, null, Notebook.Cancellation);
        Tensor pixels = restored.Picture.Pixels.clone();
        results.Add((solver, Psnr.Compute(pixels, photo.Pixels), Niqe.Compute(pixels), pixels));
        progress.Report((double)results.Count / solvers.Length);
    }
Notebook.ShowTable(results.Select(result => new { result.Solver, PSNR = result.Psnr, NIQE = result.Niqe }));

(string, double, double)[] points = [.. results.Select(result => (result.Solver, result.Psnr, result.Niqe))];
Notebook.Show(Curves.Points("PSNR in dB (right: nearer)", "NIQE (below: more natural)", points));

// At full size, side by side:

Notebook.ShowRow([.. results.Select(result => (result.Solver, (object)result.Picture))]);
