#:project ../src/Diffusion.Interactive

// Written from sources/04-samples.md by: diffusion jupyter write notebooks/sources/*.md -o notebooks

// # Samples, and how far to trust them
//
// Where much is missing there is more than one answer. Solvers that draw noise give another one for each seed; where the samples agree the
// measurement decides, where they differ the prior guesses.

Picture photo = ImageFile.Read(Path.Combine(Demo.Folder, "astronaut.png"));
const string Operator = "downsample:factor=8,kernel=box";
const double Noise = 0.02;
Measurement tiny = new Degrader(ShippedOperators.Catalog.Parse(Operator), Noise).Degrade(photo).Measurement;
Notebook.Show(tiny.Y, $"measured: {tiny.Shape!.Value.Width}x{tiny.Shape.Value.Height}");

RestoreOptions options = new()
{
    Operator = Operator,
    Noise = Noise,
    Solver = "diffpir",
    Steps = 16,
    Samples = 4,
};
Restorer restorer = new(options);
RestoredPicture restored = restorer.Restore(tiny);
Notebook.Show(restored);

// The map of spread is bright at edges and in textures. Is it honest? If the samples were drawn from the true posterior, the original
// would lie within one deviation of their mean at 68 % of the pixels, within two at 95 %.

SpreadReport report = restored.Spread!.Against(photo.Pixels);
Notebook.ShowTable(new[] { report });

// Less than that means too sure of itself: the spread of samples is a lower bound for the error, not the error.
