#:project ../src/Diffusion.Restoration
#:package libtorch-cpu-linux-x64@2.10.0
#:package NetVips.Native.linux-x64@8.18.7

// Makes a measurement of a photograph, restores it with two solvers, and writes a sheet to compare.
//     dotnet run notebooks/first-restoration.cs -- photo.png
using Diffusion.Imaging;
using Diffusion.Metrics;
using Diffusion.Operators;
using Diffusion.Restoration;

string input = args is [var path, ..] ? path : Path.Combine("src", "Diffusion.Cli", "demo", "cat.png");
const string Spec = "downsample:factor=4";
const double Noise = 0.02;

using Picture photo = ImageFile.Read(input);
using DegradedPicture degraded = new Degrader(ShippedOperators.Catalog.Parse(Spec), Noise).Degrade(photo);

List<SheetPanel> panels = [new("measurement", degraded.Measurement.Y)];
foreach (string solver in (string[])["dpir", "cm4ir"])
{
    using Restorer restorer = new(
        new RestoreOptions
        {
            Operator = Spec,
            Noise = Noise,
            Solver = solver,
            Steps = 4,
        }
    );
    RestoredPicture restored = restorer.Restore(degraded.Measurement);
    double psnr = Psnr.Compute(restored.Picture.Pixels, photo.Pixels);
    Console.WriteLine($"{solver}: {psnr:F2} dB in {restored.Seconds:F1} s");
    panels.Add(new($"{solver}, {psnr:F2} dB", restored.Picture.Pixels));
}
panels.Add(new("original", photo.Pixels));
Sheet.Write("first-restoration.png", panels);
Console.WriteLine("first-restoration.png");
