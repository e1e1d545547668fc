using BenchmarkDotNet.Running;
using Diffusion.Benchmarks;
using Diffusion.Models;
using Diffusion.Native;
using Diffusion.Networks;
using Diffusion.Runtime;

// profile HEIGHT WIDTH DTYPE ROUNDS THREADS [details] [unfused]: where the time of the shipped prior's network goes; fp32,bf16: what the
// second gains.
// presets FOLDER [size=128] [noise=0.02] [solvers=cm4ir,rdmd,dpir] [preset=NAME] [steps=4,8,16] [operators=SPEC;SPEC] [set:KEY=VALUE]
// [tolerance=1e-3] [error=0.02] [prior=NAME] [out=FOLDER]: what the presets gain on a folder of pictures.
// overhead SIZE ROUNDS [PICTURE SPEC;SPEC]: what solvers and operators cost beside the network.
// operators SIZE ROUNDS [SPEC;SPEC]: what every operator costs; {psf} stands for a folder of point-spread functions.
// priors SIZE ROUNDS DTYPE PRIOR...: seconds of one evaluation of each, in turns.
// training FOLDER DTYPE STEPS [PRIOR]: training steps of a prior's network (photo) against their convolutions.
// latent-write FOLDER: OSDFace and Stable Diffusion 2.1-base in full size with random weights, laid out as published (4 GB).
// latent FOLDER DTYPE SIDE THREADS: one evaluation of that UNet against its own convolutions and products.
// gendeg-write FOLDER PARITY: GenDeg in full size with random weights, laid out as published (8 GB); PARITY is tests/parity.
// gendeg FOLDER DTYPE SIDE THREADS STEPS [BYTES]: a sample of it, within a memory bound or without; latent FOLDER ... profiles its UNet.
// race SIZE ROUNDS THREADS: the network against Microsoft's ONNX Runtime; built with -p:OnnxRuntime=true.
// Anything else goes to BenchmarkDotNet: --filter '*', --list flat, ...
DiffusionRuntime.Configure(RuntimeOptions.Full);
switch (args)
{
    case ["profile", ..]:
        int Number(int at, int absent) => args.Length > at && int.TryParse(args[at], out int value) ? value : absent;
        NetworkPrior[] priors =
        [
            .. (args.Length > 3 ? args[3] : "fp32")
                .Split(',')
                .Select(dtype =>
                    ShippedPrior.Load(
                        ComputePolicy.Choose("cpu", dtype, Number(5, Environment.ProcessorCount)) with
                        {
                            Fused = !args.Contains("unfused"),
                        }
                    )
                ),
        ];
        NetworkProfile.Print(
            [.. priors.Select(prior => (AdmUNet)prior.Network)],
            Number(1, 256),
            Number(2, 256),
            Number(4, 10),
            args.Contains("details")
        );
        foreach (NetworkPrior prior in priors)
            prior.Dispose();
        break;
    case ["latent-write", string folder]:
        LatentFiles.Write(folder);
        break;
    case ["latent", string folder, string dtype, string side, string threads]:
        LatentProfile.Print(folder, ComputePolicy.Choose("cpu", dtype, int.Parse(threads)), int.Parse(side));
        break;
    case ["gendeg-write", string folder, string parity]:
        GenDegFiles.Write(folder, parity);
        break;
    case ["gendeg", string folder, string dtype, string side, string threads, string steps, .. string[] bound]:
        GenDegRun.Print(
            folder,
            ComputePolicy.Choose("cpu", dtype, int.Parse(threads)),
            int.Parse(side),
            int.Parse(steps),
            bound is [string bytes] ? long.Parse(bytes) : null
        );
        break;
    case ["presets", string folder, ..]:
        Dictionary<string, string> options = args[2..]
            .ToDictionary(option => option[..option.IndexOf('=')], option => option[(option.IndexOf('=') + 1)..]);
        using (
            IDenoiser prior = options.TryGetValue("prior", out string? name)
                ? PriorLoader.Load(name)
                : ShippedPrior.Load(ComputePolicy.Choose())
        )
            PresetComparison.Print(folder, prior, options);
        break;
    case ["overhead", ..]:
        using (NetworkPrior prior = ShippedPrior.Load(ComputePolicy.Choose()))
            SolverOverhead.Print(
                prior,
                args.Length > 1 ? int.Parse(args[1]) : 512,
                args.Length > 2 ? int.Parse(args[2]) : 3,
                args.Length > 3 ? args[3] : null,
                args.Length > 4 ? args[4].Split(';') : null
            );
        break;
    case ["operators", ..]:
        OperatorTimes.Print(
            args.Length > 1 ? int.Parse(args[1]) : 1024,
            args.Length > 2 ? int.Parse(args[2]) : 2,
            args.Length > 3 ? args[3].Split(';') : null
        );
        break;
    case ["priors", string side, string turns, string dtype, .. string[] names]:
        PriorTimes.Print(int.Parse(side), int.Parse(turns), dtype, names);
        break;
    case ["training", string photos, string format, string count, .. string[] network]:
        using (NetworkPrior prior = (NetworkPrior)PriorLoader.Load(network is [string named] ? named : "photo", ComputePolicy.Reference))
            TrainingProfile.Print(
                [.. Directory.GetFiles(photos).Where(file => Path.GetExtension(file) is ".webp" or ".png" or ".jpg").Order()],
                ((AdmUNet)prior.Network).Config,
                format,
                int.Parse(count),
                Environment.ProcessorCount
            );
        break;
#if ONNX_RUNTIME
    case ["race", ..]:
        Diffusion.Benchmarks.Onnx.OnnxRace.Print(
            args.Length > 1 ? int.Parse(args[1]) : 256,
            args.Length > 2 ? int.Parse(args[2]) : 10,
            args.Length > 3 ? int.Parse(args[3]) : Environment.ProcessorCount
        );
        break;
#endif
    default:
        BenchmarkSwitcher.FromAssembly(typeof(NetworkProfile).Assembly).Run(args);
        break;
}
