#:project ../src/Diffusion.Interactive

// Written from sources/10-tomography-and-mri.md by: diffusion jupyter write notebooks/sources/*.md -o notebooks

// # Tomography and MRI
//
// Measurements need not be pictures. A scanner turns around its object and measures line integrals (a sinogram); an MR scanner measures
// Fourier coefficients. Both leave out most of them, to be faster or to spare the patient.
//
// ## Sixty angles

Tensor phantom = Demo.SheppLogan(128);
const string Radon = "radon:angles=60";
Measurement sinogram = new Degrader(ShippedOperators.Catalog.Parse(Radon), 0.005).Degrade(new Picture(phantom)).Measurement;
LinearOperator scanner = ShippedOperators.Catalog.Parse(Radon).Bind(new ImageShape(1, 128, 128));
Baseline classical = Baselines.Classical(scanner, sinogram.Y, 0.005);
Restorer restorer = new(new RestoreOptions { Operator = Radon, Noise = 0.005 });
RestoredPicture restored = restorer.Restore(sinogram);
Notebook.ShowRow(
    ("sinogram", sinogram.Y / sinogram.Y.max()),
    (classical.Name, classical.X),
    ($"{restored.Solver}", restored),
    ("the object", phantom)
);
Notebook.ShowTable(new[]
{
    new { Method = classical.Name, PSNR = Psnr.Compute(classical.X, phantom) },
    new { Method = restored.Solver, PSNR = Psnr.Compute(restored.Picture.Pixels, phantom) },
});

// Your own sinogram is an array on disk: `diffusion restore sinogram.npy -A "radon:angles=0..180" --noise 0.01`.
//
// ## A quarter of k-space

const string Fourier = "fourier:acceleration=4";
Measurement kspace = new Degrader(ShippedOperators.Catalog.Parse(Fourier), 0.01).Degrade(new Picture(phantom)).Measurement;
LinearOperator coil = ShippedOperators.Catalog.Parse(Fourier).Bind(new ImageShape(1, 128, 128));
Tensor zeroFilled = coil.Adjoint(kspace.Y);
Baseline sparse = Baselines.Classical(coil, kspace.Y, 0.01);
Restorer reader = new(new RestoreOptions { Operator = Fourier, Noise = 0.01 });
RestoredPicture read = reader.Restore(kspace);
Notebook.ShowRow(("zeros for what is missing", zeroFilled), (sparse.Name, sparse.X), (read.Solver, read), ("the object", phantom));
Notebook.ShowTable(new[]
{
    new { Method = "zero-filled", PSNR = Psnr.Compute(zeroFilled, phantom) },
    new { Method = sparse.Name, PSNR = Psnr.Compute(sparse.X, phantom) },
    new { Method = read.Solver, PSNR = Psnr.Compute(read.Picture.Pixels, phantom) },
});
