using System.Text.RegularExpressions;
using Diffusion.Pipeline;
using k8s;
using k8s.Models;

namespace Diffusion.Tests.Synthesis;

/// <summary>The job files for clusters say what the clusters' own types say, and what the command understands.</summary>
public sealed class DeployTests
{
    private static string Deploy(string name) => Path.Combine(TestPaths.Repository, "deploy", name);

    [Fact]
    public void The_Kubernetes_job_fits_the_schema_of_its_version()
    {
        string text = File.ReadAllText(Deploy("kubernetes-job.yaml"));
        V1Job job = KubernetesYaml.Deserialize<V1Job>(text, strict: true);
        Assert.Equal(("batch/v1", "Job"), (job.ApiVersion, job.Kind));
        Assert.Equal("Indexed", job.Spec.CompletionMode);
        V1PodSpec pod = job.Spec.Template.Spec;
        Assert.Contains(pod.RestartPolicy, (string[])["Never", "OnFailure"]);
        V1Container container = Assert.Single(pod.Containers);
        Assert.All(container.VolumeMounts, mount => Assert.Contains(pod.Volumes, volume => volume.Name == mount.Name));
        // As many parts as pods, by the index that Kubernetes gives each of them.
        List<string> arguments = [.. container.Args];
        string shard = arguments[arguments.IndexOf("--shard") + 1];
        Shard[] parts =
        [
            .. Enumerable
                .Range(0, job.Spec.Completions!.Value)
                .Select(index => Shard.Parse(shard, name => name == "JOB_COMPLETION_INDEX" ? $"{index}" : null)),
        ];
        Assert.Equal(Enumerable.Range(1, 8).Select(part => new Shard(part, 8)), parts);
        Assert.Contains("--resume", arguments);
    }

    [Fact]
    public void A_job_with_a_field_that_Kubernetes_does_not_know_does_not_fit()
    {
        string text = File.ReadAllText(Deploy("kubernetes-job.yaml")).Replace("completionMode", "completionmode", StringComparison.Ordinal);
        Assert.ThrowsAny<Exception>(() => KubernetesYaml.Deserialize<V1Job>(text, strict: true));
    }

    [Fact]
    public void The_image_copies_what_there_is()
    {
        string text = File.ReadAllText(Deploy("Dockerfile"));
        string project = Regex.Match(text, @"dotnet publish (\S+)").Groups[1].Value;
        Assert.True(Directory.Exists(Path.Combine(TestPaths.Repository, project)), $"There is no {project}.");
        Assert.Contains("ENTRYPOINT [\"/app/diffusion\"]", text);
    }
}
