using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Cli.Shell;
using Diffusion.Models;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion checkpoints convert FILE -o OUT</c>: any readable checkpoint as safetensors.</summary>
internal sealed class CheckpointsConvertVerb : Verb
{
    private readonly Argument<string> _file;
    private readonly Option<string> _output;
    private readonly Option<string> _dtype;
    private readonly Option<bool> _everything,
        _force;

    public CheckpointsConvertVerb()
        : base("convert", "Convert a checkpoint to safetensors")
    {
        _file = Take(new Argument<string>("file") { HelpName = "FILE", Description = "A .pt, .pth, .ckpt or .safetensors file" });
        _output = Take(
            new Option<string>("--output", "-o")
            {
                HelpName = "OUT",
                Description = "The new file",
                Required = true,
            }
        );
        _dtype = Take(
            new Option<string>("--dtype")
            {
                HelpName = "keep|fp32|bf16|fp16",
                Description = "Number format of the weights",
                DefaultValueFactory = _ => "keep",
            }.AcceptOnlyFromAmong("keep", "fp32", "bf16", "fp16")
        );
        _everything = Take(
            new Option<bool>("--everything") { Description = "Keep every tensor under its full name, not only the network's" }
        );
        _force = Take(new Option<bool>("--force") { Description = "Overwrite an existing output" });
    }

    public override IReadOnlyList<string> Examples =>
        [
            "diffusion checkpoints convert model.pt -o model.safetensors",
            "diffusion checkpoints convert model.ckpt -o model.safetensors --dtype bf16",
        ];

    public override ExitCode Run(Session session)
    {
        string file = session.Get(_file),
            output = session.Get(_output)!;
        ScalarType? dtype = session.Get(_dtype) switch
        {
            "fp32" => ScalarType.Float32,
            "bf16" => ScalarType.BFloat16,
            "fp16" => ScalarType.Float16,
            _ => null,
        };
        if (Path.GetFullPath(file) == Path.GetFullPath(output))
            throw new UsageException("The output would overwrite the input", output, "Choose another -o");
        if (File.Exists(output) && !session.Get(_force))
            throw new UsageException("The output exists already", output, "Pass --force to overwrite it");
        ConversionReport report = CheckpointConverter.ToSafetensors(file, output, dtype, session.Get(_everything), session.Get(_force));
        if (session.Terminal.Json)
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["input"] = file,
                    ["output"] = output,
                    ["tensors"] = report.Tensors,
                    ["left_out"] = report.LeftOut,
                    ["bytes"] = report.Bytes,
                }
            );
        else
            session.Terminal.Print(
                $"{file} -> {output}: {report.Tensors} tensors, {report.Bytes / 1e6:0.0} "
                    + (
                        report.LeftOut > 0
                            ? $"MB; {report.LeftOut} that are not the network's were left out (--everything keeps them)"
                            : "MB"
                    )
            );
        return ExitCode.Done;
    }
}
