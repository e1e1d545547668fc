#:project ../src/Diffusion.Interactive

// Written from sources/02-write-your-own-operator.md by: diffusion jupyter write notebooks/sources/*.md -o notebooks

// # Write your own operator
//
// Solvers know a degradation only by its operator *A*: what it makes of a picture. A new one is a class with one method, `Apply`; adjoint,
// pseudo-inverse and the proximal step that solvers need are derived from it.
//
// Here is a lens that darkens the corners, behind which a sensor adds pairs of pixels.


// ## Is it one?
//
// `OperatorCheck` asks what every solver relies on: linear, zero at zero, an adjoint that is the adjoint, a pseudo-inverse that is one.

OperatorCheck.Report report = OperatorCheck.Run(new OldCamera(new ImageShape(3, 24, 32)));
Notebook.ShowTable(report.Items.Select(item => new { item.Name, item.Error, item.Limit, item.Passed }));

// ## Use it
//
// A catalogue that knows it makes it a name like the shipped ones, alone or composed with others.

OperatorCatalog operators = ShippedOperators.Catalog.With(typeof(OldCamera).Assembly);
Picture photo = ImageFile.Read(Path.Combine(Demo.Folder, "coffee.png"));
const string Camera = "old-camera:darkening=0.8";
Measurement taken = new Degrader(operators.Parse(Camera), 0.01).Degrade(photo).Measurement;
Restorer restorer = new(new RestoreOptions { Operators = operators, Operator = Camera, Noise = 0.01 });
RestoredPicture restored = restorer.Restore(taken);
Notebook.ShowRow(("taken", taken.Y), ("restored", restored), ("the scene", photo));

double psnr = Psnr.Compute(restored.Picture.Pixels, photo.Pixels);
Console.WriteLine($"{restored.Solver}: {psnr:0.00} dB, {restored.Evaluations} evaluations");

[Operator("old-camera", About = "A lens that darkens the corners, and a sensor that adds pairs of columns")]
public sealed class OldCamera(ImageShape input, [Setting(Min = 0, Max = 1)] double darkening = 0.6)
    : LinearOperator
{
    public override ImageShape Input { get; } = input;

    public override MeasurementShape Output { get; } = new(input with { Width = input.Width / 2 });

    public override Tensor Apply(Tensor x)
    {
        using DisposeScope scope = torch.NewDisposeScope();
        Tensor rows = torch.linspace(-1, 1, Input.Height).unsqueeze(1),
            columns = torch.linspace(-1, 1, Input.Width);
        Tensor dark = x * (1 - darkening / 2 * (rows.square() + columns.square()));
        return torch.nn.functional.avg_pool2d(dark, [1, 2]).MoveToOuterDisposeScope();
    }
}
