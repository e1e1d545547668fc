namespace Diffusion.Synthesis.DataSets;

/// <summary>How a set is laid out.</summary>
public enum SetFormat
{
    /// <summary><c>clean/</c>, <c>degraded/KIND/</c> and <c>manifest.jsonl</c>.</summary>
    Folders,

    /// <summary>The same with <c>metadata.parquet</c>, as Hugging Face's image folders are read.</summary>
    Hf,

    /// <summary><c>shard-000000.tar</c> ..., each sample as <c>ID.clean.png</c>, <c>ID.degraded.png</c> and <c>ID.json</c>.</summary>
    WebDataset,
}
