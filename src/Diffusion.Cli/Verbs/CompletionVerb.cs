using System.CommandLine;
using Diffusion.Cli.Shell;

namespace Diffusion.Cli.Verbs;

/// <summary><c>diffusion completion</c>: a script that asks the command itself what may follow.</summary>
internal sealed class CompletionVerb : Verb
{
    private readonly Argument<string> _shell;

    public CompletionVerb()
        : base("completion", "Print a completion script for a shell")
    {
        _shell = Take(
            new Argument<string>("shell") { HelpName = "bash|zsh|pwsh", Description = "The shell" }.AcceptOnlyFromAmong(
                "bash",
                "zsh",
                "pwsh"
            )
        );
    }

    public override IReadOnlyList<string> Examples =>
        ["diffusion completion bash >> ~/.bashrc", "diffusion completion zsh >> ~/.zshrc", "diffusion completion pwsh >> $PROFILE"];

    public override ExitCode Run(Session session)
    {
        session.Terminal.Print(
            session.Get(_shell) switch
            {
                "bash" => Bash,
                "zsh" => Zsh,
                _ => PowerShell,
            }
        );
        return ExitCode.Done;
    }

    private const string Bash = """
        _diffusion() {
            local IFS=$'\n'
            local cur="${COMP_WORDS[COMP_CWORD]}"
            COMPREPLY=( $(compgen -W "$(diffusion "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "$cur") )
            if [ ${#COMPREPLY[@]} -eq 0 ]; then COMPREPLY=( $(compgen -f -- "$cur") ); fi
        }
        complete -o filenames -F _diffusion diffusion
        """;

    private const string Zsh = """
        _diffusion() {
            local -a found
            found=("${(@f)$(diffusion "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            if [[ -n "${found[1]}" ]]; then compadd -- $found; fi
            _files
        }
        compdef _diffusion diffusion
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName diffusion -ScriptBlock {
            param($word, $line, $cursor)
            diffusion "[suggest:$cursor]" "$line" 2>$null | Where-Object { $_ -like "$word*" } |
                ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
        }
        """;
}
