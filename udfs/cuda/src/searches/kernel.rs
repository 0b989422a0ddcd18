use tithe_compute::forecast::{Form, SmoothingSearch};

/// The kernels as they are kept compiled: `kernels/search.cu` by `kernels/build.py`.
pub const PTX: &str = include_str!("../../kernels/search.ptx");

/// A kernel of [`PTX`], or that of [`crate::draws`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kernel {
    /// Exponential smoothing of a form, with a trend or without.
    Smoothing(SmoothingKernel),
    /// Dynamic Theta.
    Theta,
    /// The draws of the income model.
    Draws,
}

/// A kernel of exponential smoothing; its place in [`SMOOTHING`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SmoothingKernel(usize);

/// Form by form, without a trend and with.
const SMOOTHING: [&str; 8] = [
    "plain",
    "plain_trend",
    "plain_relative",
    "plain_relative_trend",
    "additive_season",
    "additive_season_trend",
    "multiplicative_season",
    "multiplicative_season_trend",
];

/// A parameter of a kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// Address of the searches, [`SEARCH`](super::SEARCH) words each.
    Searches,
    /// How many there are.
    Count,
    /// The most factors that one of them has.
    MostSeason,
    /// Address of the series.
    Values,
    /// Address of the factors before the first value.
    Factors,
    /// Address of intercepts and slopes.
    Lines,
    /// Address of [`candidate_offsets`](tithe_compute::forecast::candidate_offsets).
    Offsets,
    /// Address of what is found.
    Found,
    /// Address of the factors after the last value.
    LastFactors,
}

impl Parameter {
    /// Bytes of the argument.
    #[must_use]
    pub fn width(self) -> usize {
        if matches!(self, Self::Count | Self::MostSeason) { size_of::<u32>() } else { size_of::<u64>() }
    }
}

impl Kernel {
    /// Every kernel of [`PTX`].
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SMOOTHING.len()).map(|place| Self::Smoothing(SmoothingKernel(place))).chain([Self::Theta])
    }

    /// The one that runs a smoothing search.
    pub(crate) fn of(search: &SmoothingSearch) -> Self {
        let of_form = match search.shape.form {
            Form::Plain => 0,
            Form::PlainRelative => 2,
            Form::AdditiveSeason => 4,
            Form::MultiplicativeSeason => 6,
        };
        Self::Smoothing(SmoothingKernel(of_form + usize::from(search.shape.has_trend())))
    }

    /// Its name in the PTX.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Smoothing(SmoothingKernel(place)) => SMOOTHING[place],
            Self::Theta => "theta",
            Self::Draws => "income_draws",
        }
    }

    /// Its place in [`Self::all`]; that of the draws is the next.
    #[must_use]
    pub fn place(self) -> usize {
        match self {
            Self::Smoothing(SmoothingKernel(place)) => place,
            Self::Theta => SMOOTHING.len(),
            Self::Draws => SMOOTHING.len() + 1,
        }
    }

    /// What a search takes, in order; nothing for the draws, whose plan says it.
    #[must_use]
    pub fn parameters(self) -> &'static [Parameter] {
        use Parameter::{Count, Factors, Found, LastFactors, Lines, MostSeason, Offsets, Searches, Values};
        match self {
            Self::Smoothing(_) => {
                &[Searches, Count, MostSeason, Values, Factors, Offsets, Found, LastFactors]
            }
            Self::Theta => &[Searches, Count, Values, Lines, Offsets, Found],
            Self::Draws => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = include_str!("../../kernels/search.cu");

    /// The types of `kernel`'s parameters in the PTX, such as `.u64`.
    fn compiled(kernel: &str) -> Vec<&'static str> {
        let head = format!(".visible .entry {kernel}(\n");
        let (_, rest) = PTX.split_once(&head).expect("the PTX has the kernel");
        let (parameters, _) = rest.split_once(')').expect("the list ends");
        let of_line = |line: &'static str| line.trim().strip_prefix(".param ")?.split(' ').next();
        parameters.lines().filter_map(of_line).collect()
    }

    /// Types and names of the parameters that the source writes after `before`.
    fn written(before: &str) -> Vec<(String, String)> {
        let (_, rest) = SOURCE.split_once(before).expect("the source has it");
        let (parameters, _) = rest.split_once(')').expect("the list ends");
        let plain = parameters.replace(['\\', '\n'], " ");
        let pair = |parameter: &str| {
            let (kind, name) = parameter.trim().rsplit_once(' ').expect("a type and a name");
            (kind.trim().to_owned(), name.to_owned())
        };
        plain.split(',').map(pair).collect()
    }

    fn as_written(parameter: Parameter, found: &str) -> (String, String) {
        let (kind, name) = match parameter {
            Parameter::Searches => ("const Search*", "searches"),
            Parameter::Count => ("unsigned", "count"),
            Parameter::MostSeason => ("unsigned", "most_season"),
            Parameter::Values => ("const double*", "values"),
            Parameter::Factors => ("const double*", "factors"),
            Parameter::Lines => ("const double*", "lines"),
            Parameter::Offsets => ("const double*", "offsets"),
            Parameter::Found => (found, "found"),
            Parameter::LastFactors => ("double*", "last_factors"),
        };
        (kind.to_owned(), name.to_owned())
    }

    #[test]
    fn every_argument_has_the_order_and_width_of_the_compiled_parameter() {
        for kernel in Kernel::all() {
            let width = |kind: &&str| match *kind {
                ".u64" => 8,
                ".u32" => 4,
                other => panic!("{}: no argument is a {other}", kernel.name()),
            };
            let compiled: Vec<usize> = compiled(kernel.name()).iter().map(width).collect();
            let given: Vec<usize> = kernel.parameters().iter().map(|parameter| parameter.width()).collect();
            assert_eq!(given, compiled, "{}", kernel.name());
        }
    }

    #[test]
    fn every_argument_is_what_the_source_calls_it() {
        let smoothing = Kernel::Smoothing(SmoothingKernel(0)).parameters();
        for before in ["__device__ void smoothing(", "__global__ void NAME("] {
            let given: Vec<_> = smoothing.iter().map(|one| as_written(*one, "SmoothingFound*")).collect();
            assert_eq!(given, written(before));
        }
        let given: Vec<_> =
            Kernel::Theta.parameters().iter().map(|one| as_written(*one, "ThetaFound*")).collect();
        assert_eq!(given, written("__global__ void theta("));
    }

    #[test]
    fn the_compiled_kernels_are_these() {
        let names = PTX.lines().filter_map(|line| line.strip_prefix(".visible .entry "));
        let names: Vec<&str> = names.map(|name| name.trim_end_matches('(')).collect();
        assert_eq!(names, Kernel::all().map(Kernel::name).collect::<Vec<_>>());
        assert!(Kernel::all().enumerate().all(|(place, kernel)| kernel.place() == place));
    }
}
