using Diffusion.Imaging;
using Diffusion.Training;

namespace Diffusion.Tests.Training;

public sealed class LossCurveTests
{
    [Fact]
    public void A_curve_goes_on_where_the_run_was_resumed_and_is_drawn()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("loss curve ");
        string csv = Path.Combine(folder.FullName, "loss.csv"),
            png = Path.Combine(folder.FullName, "loss.png");
        try
        {
            File.WriteAllLines(
                csv,
                ["step,crops,seconds,loss,error,gradient_norm,rate", "20,320,1.0,1.0,0.5,2.0,1.000e-4", "40,640,2.0,1.0,0.4,2.0,1.000e-4"]
            );
            LossCurve curve = new(csv, resumedStep: 20);
            Assert.Equal(2, File.ReadAllLines(csv).Length);
            curve.Draw(png);
            using Picture picture = ImageFile.Read(png);
            Assert.True(picture is { Width: >= 640, Height: >= 320 });
            Assert.InRange(picture.Pixels.mean().item<float>(), 0.8f, 0.9999f);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
