using System.CommandLine;
using System.Text.Json.Nodes;
using Diffusion.Checkpoints;
using Diffusion.Cli.Options;
using Diffusion.Cli.Shell;
using Diffusion.Models;
using Diffusion.Networks;
using Diffusion.Restoration;
using Diffusion.Runtime;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion checkpoints verify FILE</c>: reads everything, and loads it as a prior where it is one.</summary>
internal sealed class CheckpointsVerifyVerb : Verb
{
    private readonly Argument<string> _file;
    private readonly Option<string[]> _plugins;

    public CheckpointsVerifyVerb()
        : base("verify", "Read every tensor of a checkpoint, look for NaN, and load it as a prior")
    {
        _file = Take(new Argument<string>("file") { HelpName = "FILE", Description = "A weight file, or the name of an installed prior" });
        _plugins = Take(new ProblemOptions().Plugins);
    }

    public override IReadOnlyList<string> Examples =>
        ["diffusion checkpoints verify photo", "diffusion checkpoints verify model.safetensors"];

    public override ExitCode Run(Session session)
    {
        PriorFiles files = PriorFiles.Find(session.Get(_file));
        IReadOnlyList<string> bad = [];
        session.Terminal.WithProgress("reading", report => bad = CheckpointInspector.Verify(files.Weights, report, session.Cancellation));
        if (bad.Count > 0)
            throw new CheckpointException(
                $"{bad.Count} tensors hold NaN or infinity, the first is {bad[0]}",
                files.Weights,
                "Get the file again"
            );
        NetworkCatalog? networks = new Catalogs(session, _plugins).Networks;
        CheckpointSummary summary = CheckpointInspector.Inspect(files.Weights, networks);
        bool isPrior = files.Card is not null || summary.Identity?.Card is not null;
        if (isPrior)
            PriorLoader.Load(session.Get(_file), ComputePolicy.Reference, networks).Dispose();
        string hash = new FileHashes().Of(files.Weights);
        if (files.Card is { } card && PriorCard.Read(card).Sha256 is { } own && own != hash)
            throw new CheckpointException(
                $"The weights are not those that their card was written for: their SHA-256 is {hash}, not {own}",
                files.Weights,
                "Get file and card again, or move the card away"
            );
        string? expected = summary.Identity?.Entry?.Sha256;
        if (expected is not null && expected != hash)
            session.Terminal.Warn($"{files.Weights} is not the published file: its SHA-256 is {hash}, not {expected}.");
        if (session.Terminal.Json)
            session.Terminal.PrintJson(
                new JsonObject
                {
                    ["file"] = files.Weights,
                    ["ok"] = true,
                    ["tensors"] = summary.Tensors,
                    ["loads_as_prior"] = isPrior,
                    ["sha256"] = hash,
                    ["published"] = expected is null ? null : expected == hash,
                }
            );
        else
            session.Terminal.Print(
                $"{files.Weights}: {summary.Tensors} tensors are "
                    + $"intact{(isPrior ? " and load as a prior" : "")}{(expected == hash ? "; it is the published file" : "")} "
                    + $"(SHA-256 {hash})."
            );
        return ExitCode.Done;
    }
}
