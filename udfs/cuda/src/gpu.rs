//! The thin layer over the driver: a context, the kernels, and copies and launches on streams.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cudarc::driver::result::DriverError;
use cudarc::driver::sys::{CUdevice_attribute, CUevent_flags, CUresult};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtr, LaunchConfig, PinnedHostSlice, PushKernelArg,
};
use cudarc::nvrtc::Ptx;
use tithe_compute::forecast::candidate_offsets;

use crate::probe::failed_to;
use crate::searches::{
    Argument, DeviceSearches, Geometry, Kernel, Launch, Machine, MachineResult, PTX, Plan, Work,
};
use crate::{Availability, CudaError, Device, draws, probe};

/// The first compute capability that the kernels are compiled for.
const OLDEST: (i32, i32) = (7, 5);
/// Lanes that are kept for the next batches.
const MOST_IDLE: usize = 4;
/// Threads of a warp.
const WARP: u32 = 32;

/// The first GPU of this machine with the kernels loaded.
pub struct Gpu {
    device: Device,
    context: Arc<CudaContext>,
    /// In the order of [`Kernel::place`].
    functions: Vec<CudaFunction>,
    offsets: CudaSlice<f64>,
    idle: Mutex<Vec<Lane>>,
}

/// What one batch at a time needs. Page-locked memory is dear to make, so that it is used again.
struct Lane {
    stream: Arc<CudaStream>,
    input: PinnedHostSlice<u64>,
    output: PinnedHostSlice<u64>,
}

/// What a kernel takes of a multiprocessor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KernelResources {
    /// Registers of a thread.
    pub registers: i32,
    /// Bytes of local memory of a thread, where registers do not suffice.
    pub spilled: i32,
    /// Warps that run on a multiprocessor at a time.
    pub resident_warps: u32,
    /// Warps that a multiprocessor holds at most.
    pub most_warps: u32,
    /// Multiprocessors of the GPU.
    pub multiprocessors: u32,
    /// Cycles a second at the highest clock.
    pub hertz: f64,
}

impl std::fmt::Debug for Gpu {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Gpu").field(&self.device).finish()
    }
}

/// The GPU of this process, opened when it is first asked for; `None` where there is none. With several, the first.
/// Half of the memory that is free then is the most that all batches together take.
///
/// # Errors
/// When there is one and it cannot be used, and the same at every call.
pub fn gpu() -> Result<Option<&'static DeviceSearches<Gpu>>, CudaError> {
    static GPU: OnceLock<Result<Option<DeviceSearches<Gpu>>, CudaError>> = OnceLock::new();
    match GPU.get_or_init(open) {
        Ok(gpu) => Ok(gpu.as_ref()),
        Err(error) => Err(error.clone()),
    }
}

fn open() -> Result<Option<DeviceSearches<Gpu>>, CudaError> {
    let Availability::Devices(devices) = probe()? else { return Ok(None) };
    let Some(device) = devices.into_iter().next() else { return Ok(None) };
    if device.compute_capability < OLDEST {
        return Err(CudaError::OldDevice(device));
    }
    let (gpu, free) = guarded(|| Gpu::open(device))?;
    Ok(Some(DeviceSearches::new(gpu, free / 2)))
}

/// Functions of the driver are looked up at their first call, and a missing one panics.
fn guarded<T>(call: impl FnOnce() -> Result<T, CudaError>) -> Result<T, CudaError> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(CudaError::Incomplete))
}

impl Gpu {
    /// With the bytes of memory that are free.
    fn open(device: Device) -> Result<(Self, usize), CudaError> {
        let context = CudaContext::new(0).map_err(failed_to("open a GPU"))?;
        // SAFETY: no two streams share memory but for `offsets`, which is written and complete before the first of
        // the other streams is made, and never after; every other buffer is made, used and freed on one stream.
        unsafe { context.disable_event_tracking() };
        let load = |ptx: &'static str| {
            context.load_module(Ptx::from_src(ptx)).map_err(|error| match error {
                DriverError(CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION) => CudaError::OldDriver,
                other => failed_to("load the GPU kernels")(other),
            })
        };
        let (searches, draws) = (load(PTX)?, load(draws::PTX)?);
        let functions = Kernel::all()
            .map(|kernel| searches.load_function(kernel.name()))
            .chain([draws.load_function(Kernel::Draws.name())])
            .collect::<Result<_, _>>()
            .map_err(failed_to("find a GPU kernel"))?;
        let stream = context.default_stream();
        let offsets = stream
            .clone_htod(&candidate_offsets())
            .and_then(|offsets| stream.synchronize().map(|()| offsets))
            .map_err(failed_to("copy to the GPU"))?;
        let (free, _total) = context.mem_get_info().map_err(failed_to("measure a GPU's memory"))?;
        Ok((Self { device, context, functions, offsets, idle: Mutex::default() }, free))
    }

    /// Which GPU it is.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// What `kernel` takes when it is launched with `geometry`.
    ///
    /// # Errors
    /// When the driver does not tell.
    pub fn resources(&self, kernel: Kernel, geometry: Geometry) -> Result<KernelResources, CudaError> {
        let function = self.function(kernel)?;
        guarded(|| {
            let told = failed_to("describe a GPU kernel");
            let shared = usize::try_from(geometry.shared).map_err(|_too_large| CudaError::Unfit)?;
            let blocks = function
                .occupancy_max_active_blocks_per_multiprocessor(WARP * geometry.warps, shared, None)
                .map_err(&told)?;
            let attribute = |attribute| {
                let value = self.context.attribute(attribute).map_err(&told)?;
                u32::try_from(value).map_err(|_negative| CudaError::Corrupt)
            };
            Ok(KernelResources {
                registers: function.num_regs().map_err(&told)?,
                spilled: function.local_size_bytes().map_err(&told)?,
                resident_warps: blocks * geometry.warps,
                most_warps: attribute(
                    CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR,
                )? / WARP,
                multiprocessors: attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?,
                hertz: 1e3 * f64::from(attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE)?),
            })
        })
    }

    /// Runs the launches of `plan`, `times` over on input that is all the same, and gives the seconds that the GPU took
    /// for one time, copies left out.
    ///
    /// # Errors
    /// When the GPU fails.
    pub fn time_of_kernels(&self, plan: &Plan<'_>, times: u32) -> Result<f64, CudaError> {
        let work = plan.work();
        let mut lane = self.lane(work)?;
        let input = lane.input.as_mut_slice().map_err(failed_to("reach page-locked memory"))?;
        plan.write(&mut input[..work.input_words()])?;
        let timed = guarded(|| self.timed(&lane, work, times));
        self.settle(lane, timed.is_ok());
        timed
    }

    fn timed(&self, lane: &Lane, work: &Work, times: u32) -> Result<f64, CudaError> {
        let stream = &lane.stream;
        let host = lane.input.as_slice().map_err(failed_to("reach page-locked memory"))?;
        let (mut input, output) = self.buffers(stream, work)?;
        stream.memcpy_htod(&host[..work.input_words()], &mut input).map_err(failed_to("copy to the GPU"))?;
        let event =
            || stream.record_event(Some(CUevent_flags::CU_EVENT_DEFAULT)).map_err(failed_to("time a GPU"));
        self.launch_all(stream, work, &input, &output)?;
        let start = event()?;
        for _ in 0..times {
            self.launch_all(stream, work, &input, &output)?;
        }
        let end = event()?;
        let milliseconds = start.elapsed_ms(&end).map_err(failed_to("time a GPU"))?;
        Ok(f64::from(milliseconds) * 1e-3 / f64::from(times.max(1)))
    }

    fn function(&self, kernel: Kernel) -> Result<&CudaFunction, CudaError> {
        self.functions.get(kernel.place()).ok_or(CudaError::Unfit)
    }

    /// A lane with room for `work`.
    fn lane(&self, work: &Work) -> Result<Lane, CudaError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        guarded(|| {
            let (input, output) = (work.input_words(), work.output_words());
            match idle {
                Some(lane) if lane.input.len() >= input && lane.output.len() >= output => Ok(lane),
                // Made anew, larger: what a batch needs, the next ones will need too.
                _ => Ok(Lane {
                    stream: self.context.new_stream().map_err(failed_to("make a stream"))?,
                    input: self.page_locked(input)?,
                    output: self.page_locked(output)?,
                }),
            }
        })
    }

    /// Memory that the GPU copies from and to by itself; cached, for it is read too.
    fn page_locked(&self, words: usize) -> Result<PinnedHostSlice<u64>, CudaError> {
        let words = words.max(1).checked_next_power_of_two().unwrap_or(words);
        // SAFETY: the memory is unset; it is set in the next lines, before anything reads it.
        let mut memory = unsafe { self.context.alloc_pinned_with_flags::<u64>(words, 0) }
            .map_err(failed_to("lock memory for copies"))?;
        let start = memory.as_mut_ptr().map_err(failed_to("reach page-locked memory"))?;
        // SAFETY: `start` is the start of `words` words that are ours alone, and aligned.
        unsafe { start.write_bytes(0, words) };
        Ok(memory)
    }

    /// Takes a lane back, once nothing uses it.
    fn settle(&self, lane: Lane, whole: bool) {
        // What was started before a failure may still write to the lane.
        let settled = guarded(|| lane.stream.synchronize().map_err(failed_to("finish")));
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if whole && settled.is_ok() && idle.len() < MOST_IDLE {
            idle.push(lane);
        }
    }

    fn buffers(
        &self,
        stream: &Arc<CudaStream>,
        work: &Work,
    ) -> Result<(CudaSlice<u64>, CudaSlice<u64>), CudaError> {
        // A buffer of nothing is an error of the driver.
        let buffer = |words: usize| {
            // SAFETY: the memory is unset; what is read of it is written before, by the copy or by the kernels.
            unsafe { stream.alloc::<u64>(words.max(1)) }.map_err(failed_to("take memory of a GPU"))
        };
        Ok((buffer(work.input_words())?, buffer(work.output_words())?))
    }

    fn launch_all(
        &self,
        stream: &Arc<CudaStream>,
        work: &Work,
        input: &CudaSlice<u64>,
        output: &CudaSlice<u64>,
    ) -> Result<(), CudaError> {
        let (input, _input) = input.device_ptr(stream);
        let (output, _output) = output.device_ptr(stream);
        let (offsets, _offsets) = self.offsets.device_ptr(stream);
        for Launch { kernel, geometry, arguments } in work.launches() {
            let addresses: Vec<u64> = arguments
                .iter()
                .map(|argument| match argument {
                    Argument::Address(region) => {
                        let base = if region.output { output } else { input };
                        base + (size_of::<u64>() * region.start) as u64
                    }
                    Argument::Offsets => offsets,
                    Argument::Number(_) => 0,
                })
                .collect();
            let mut builder = stream.launch_builder(self.function(*kernel)?);
            for (argument, address) in arguments.iter().zip(&addresses) {
                match argument {
                    Argument::Number(number) => builder.arg(number),
                    Argument::Address(_) | Argument::Offsets => builder.arg(address),
                };
            }
            let configuration = LaunchConfig {
                grid_dim: (geometry.blocks, 1, 1),
                block_dim: (WARP * geometry.warps, 1, 1),
                shared_mem_bytes: geometry.shared,
            };
            // SAFETY: the arguments are as many, of the widths and in the order that the kernel declares (tested
            // against the PTX). Their regions lie inside of `input` and `output`, which live until the stream is
            // done; a plan exists only of searches that read within their numbers and write factors of their own, or of
            // rows that the model made with the tables they name, so that no two launches write the same word, and none
            // a word of the input; shared memory is as large as a
            // kernel indexes (tested in an interpreter that checks every access).
            unsafe { builder.launch(configuration) }.map_err(failed_to("launch a kernel"))?;
        }
        Ok(())
    }

    /// Copies there, launches, copies back, and waits.
    fn execute(&self, lane: &mut Lane, work: &Work) -> Result<(), CudaError> {
        let Lane { stream, input: from, output: to } = lane;
        let from = from.as_slice().map_err(failed_to("reach page-locked memory"))?;
        let (mut input, output) = self.buffers(stream, work)?;
        stream.memcpy_htod(&from[..work.input_words()], &mut input).map_err(failed_to("copy to the GPU"))?;
        self.launch_all(stream, work, &input, &output)?;
        let to = to.as_mut_slice().map_err(failed_to("reach page-locked memory"))?;
        let found = output.slice(..work.output_words());
        stream.memcpy_dtoh(&found, &mut to[..work.output_words()]).map_err(failed_to("copy from the GPU"))?;
        // The thread sleeps until then: others have a use for its core.
        let event = stream.record_event(Some(CUevent_flags::CU_EVENT_BLOCKING_SYNC));
        event.and_then(|event| event.synchronize()).map_err(failed_to("finish"))
    }
}

impl Machine for Gpu {
    fn run(
        &self,
        work: &Work,
        write: &mut dyn FnMut(&mut [u64]) -> MachineResult<()>,
        read: &mut dyn FnMut(&[u64]) -> MachineResult<()>,
    ) -> MachineResult<()> {
        let mut lane = self.lane(work)?;
        let input = lane.input.as_mut_slice().map_err(failed_to("reach page-locked memory"))?;
        write(&mut input[..work.input_words()])?;
        let executed = guarded(|| self.execute(&mut lane, work));
        let done = match executed {
            Ok(()) => {
                let output = lane.output.as_slice().map_err(failed_to("reach page-locked memory"))?;
                read(&output[..work.output_words()])
            }
            Err(error) => Err(error.into()),
        };
        self.settle(lane, done.is_ok());
        done
    }
}
